"""What happens to the things that are assigned to, added to and deleted."""

from __future__ import annotations

import ast
from dataclasses import replace

from torchlore.analysis import (
    containers,
    expressions,
    members,
    operators,
    parameters,
    submodules,
    tensors,
    torch_facts,
    unpacking,
)
from torchlore.analysis.events import Event, Kind
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import alike, has_new_kind, is_none, join, options, tokens_of
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Const,
    Container,
    Function,
    Instance,
    Iterable,
    LocalClass,
    LocalModule,
    Number,
    OneOf,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)

ANY = "*"
"""Stands for the name of an attribute that is not known."""


def assign(run: Run, target: ast.expr, value: Value) -> None:
    """Binds `value` to a name, an attribute, an item or a pattern of these."""
    if isinstance(target, ast.Name):
        name, frame = target.id, run.frame
        home = frame.foreign.get(name, frame) if frame.foreign else frame
        if name in run.totals and not run.is_away:
            run.path.append(Event(Kind.RESET, target, None, None, (home, name), run.grad))
        held = home.names.get(name)
        if held.__class__ is Container or held.__class__ is OneOf:
            _let_go(run, target, held)
        home.bind(name, value)
        run.values[target] = value
        return
    match target:
        case ast.Attribute(value=owner_node, attr=attr):
            owner = expressions.evaluate(run, owner_node)
            for owner_option in options(owner):
                _set_attribute(run, target, owner_option, attr, value)
        case ast.Subscript(value=owner_node, slice=index):
            owner = expressions.evaluate(run, owner_node)
            key = expressions.evaluate(run, index)
            for owner_option in options(owner):
                if isinstance(index, ast.Slice):
                    _let_go(run, target, owner_option)
                elif isinstance(owner_option, Container) and isinstance(key, Const):
                    _let_go(run, target, owner_option.keyed.get(hashable(key.value)))
                elif isinstance(owner_option, Instance) and submodules.is_container(owner_option):
                    register(run, target, owner_option, value)
                tensors.change_leaf(run, target, owner_option)
                _set_item(run, owner_option, key, value)
        case ast.Starred(value=inner):
            assign(run, inner, value if isinstance(value, Container) else Iterable(unpacking.element(value)))
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part, item in zip(parts, unpacking.unpack(value, parts), strict=True):
                assign(run, part, item)
        case _:
            pass


def _let_go(run: Run, node: ast.AST, held: Value | None) -> None:
    """A place that held containers is bound to something else: read there, they are empty again."""
    if held.__class__ is not Container and held.__class__ is not OneOf:
        return
    for part in options(held) if held is not None else ():
        if isinstance(part, Container):
            run.emit(Kind.RESET, node, key=part)


def name_key(run: Run, name: str) -> object:
    """Identifies a variable: two activations of one function have two of each."""
    return (run.frame.foreign.get(name, run.frame), name)


def _set_attribute(run: Run, node: ast.Attribute, owner: Value, attr: str, value: Value) -> None:
    match owner:
        case Instance():
            run.emit(Kind.RESET, node, key=(owner, attr))
            register(run, node, owner, value)
            known = owner.attributes.get(attr)
            if known is None and owner.cls == "argparse.Namespace" and run.is_tentative:
                known = Unknown()  # what the parser put there
            _let_go(run, node, known)
            replaces = known is None or is_none(known) or not run.is_tentative
            joined = value if known is None or replaces else join([known, value])
            if known is not None and has_new_kind(known, joined):
                run.heap_changes += 1
            if not alike(known, joined):
                run.changes += 1
            owner.attributes[attr] = joined
        case LocalModule() | LocalClass() | Ref():
            run.emit(Kind.RESET, node, key=(owner, attr))
            run.changes += 1
            _replace(run, owner, attr, value)
        case Params(owners=owners) if attr == "requires_grad":
            for module in owners or [None]:
                freeze(run, node, module, value)
        case Tensor(parameter=True) if attr == "requires_grad":
            freeze(run, node, None, value)
        case Tensor() if attr == "data":
            tensors.forget_shape(run, owner)
        case Tensor() if attr == "requires_grad":
            tensors.keep_past(run, owner)
            owner.attached = True if isinstance(value, Const) and value.value is True else None
        case Params(owners=owners) if attr == "grad":
            kind = Kind.CLEAR if is_none(value) else Kind.WRITE_GRADS
            for module in owners or [None]:
                run.emit(kind, node, subject=module)
        case Tensor() | Unknown() if attr == "grad":
            run.emit(Kind.CLEAR if is_none(value) else Kind.WRITE_GRADS, node)
        case Unknown() | Plain():
            run.escape(node, [value])
        case _:
            pass


def _replace(run: Run, owner: LocalModule | LocalClass | Ref, attr: str, value: Value) -> None:
    """Something of a module or a class, which all who use it see, becomes another thing."""
    match owner:
        case LocalModule(frame=frame):
            frame.bind(attr, value)
        case LocalClass(attributes=attributes):
            attributes[attr] = as_member(owner, value)
        case Ref(name=name):
            patch(run, name, attr, value)


def patch(run: Run, name: str, attr: str, value: Value) -> None:
    """An attribute of something imported is set; `ANY` stands for one that is not known."""
    run.patched[f"{name}.{attr}"] = value
    if name.startswith("torch.") and torch_facts.is_class_name(name):
        run.patched_methods.add(attr)


def as_member(cls: LocalClass, value: Value) -> Value:
    """What is set on a class, as an attribute of it: a function becomes a method."""
    is_free = isinstance(value, Function) and value.owner is None and value.receiver is None
    return replace(value, owner=cls) if isinstance(value, Function) and is_free else value


def register(run: Run, node: ast.expr, owner: Value, value: Value) -> None:
    """`nn.Module.__setattr__` registers what is set, if it is a module or a parameter."""
    parts = value.options if isinstance(value, OneOf) else (value,)
    if any(map(_is_registered, parts)):
        run.emit(Kind.REGISTER, node, subject=owner, value=value)


def _is_registered(value: Value) -> bool:
    """Whether `nn.Module.__setattr__` registers such a value."""
    return (isinstance(value, Tensor) and value.parameter) or members.is_module_like(value)


def freeze(run: Run, node: ast.AST, module: Value | None, value: Value) -> None:
    """Parameters of `module` stop (or start again) to require gradients."""
    run.emit(Kind.FREEZE, node, subject=module, value=value)
    if isinstance(module, Instance):
        parameters.set_trainable(run, module, expressions.truth(value))


def overwrite(run: Run, tensor: Tensor, value: Value) -> None:
    """(Some of) the items of a tensor are set: what is known of how it came about no longer holds."""
    run.changes += 1
    result = operators.combine(tensor, value)
    is_other = isinstance(result, Tensor) and result.attached is not tensor.attached
    if is_other or tensor.activation is not None:
        tensors.keep_past(run, tensor)
    tensor.activation = tensor.made_at = None
    tensor.tokens |= tokens_of(value)
    if is_other:
        tensor.attached = None


def _set_item(run: Run, owner: Value, key: Value, value: Value) -> None:
    run.changes += 1
    if isinstance(owner, Tensor):
        overwrite(run, owner, value)
    if isinstance(owner, Instance) and owner.arguments is not None:
        submodules.replace_item(owner, key, value, run.is_tentative)
    if not isinstance(owner, Container):
        return
    if not isinstance(owner.element, Unknown):
        owner.element = join([owner.element, value])
    elif owner.kind == "dict" and owner.whole:  # else it may hold anything
        owner.element = value
    if isinstance(key, Const) and owner.kind == "dict":
        literal = hashable(key.value)
        before = owner.keyed.get(literal) or (None if owner.whole else owner.element)
        is_kept = before is not None and (run.branches or run.loops)  # there may be a way around this
        owner.keyed[literal] = join([before, value]) if before is not None and is_kept else value
    else:
        owner.items = None
        owner.whole = False


def hashable(value: object) -> object:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def augment(run: Run, node: ast.AugAssign, before: Value, added: Value) -> None:
    """`target op= added`."""
    if tensors.change_leaf(run, node, before):  # it stays the leaf that it is
        if isinstance(before, Tensor):
            overwrite(run, before, added)
        return
    if isinstance(node.op, ast.Add):
        accumulate(run, node, node.target, before, added)
        return
    assign(run, node.target, operators.combine(before, added, _operator(node)))


def _operator(node: ast.stmt) -> ast.operator:
    return node.op if isinstance(node, ast.AugAssign) else ast.Add()


def accumulate(run: Run, node: ast.stmt, target: ast.expr, before: Value, added: Value) -> None:
    """`target += added`, or `target = target + added`."""
    key = place_key(run, target)
    if all(isinstance(part, Container) for part in options(before)):
        run.changes += 1
        for part in options(before):
            assert isinstance(part, Container)
            extend(part, _added_item(run, node, part, added))
        return
    run.emit(Kind.ACCUMULATE, node, subject=before, value=added, key=key)
    total = with_token(operators.combine(before, added, _operator(node)), node)
    _rebind(run, target, total)


def _added_item(run: Run, node: ast.stmt, container: Container, added: Value) -> Value:
    """What a container holds besides after `container += added`; `losses += [loss]` is an `append`."""
    item = unpacking.element(added)
    is_one = isinstance(added, Container) and added.items is not None and len(added.items) == 1
    if not is_one or not isinstance(item, Tensor | Unknown) or container.kind == containers.BOUNDED:
        return item
    run.emit(Kind.ACCUMULATE, node, subject=container, value=item, key=container)
    return with_token(item, node)


def _rebind(run: Run, target: ast.expr, value: Value) -> None:
    """Binds without a RESET: the place keeps what it held."""
    match target:
        case ast.Name(id=name):
            run.frame.bind(name, value)
        case ast.Attribute(value=owner_node, attr=attr):
            for owner in options(expressions.evaluate(run, owner_node)):
                if isinstance(owner, Instance):
                    owner.attributes[attr] = value
        case ast.Subscript(value=owner_node, slice=index):
            key = expressions.evaluate(run, index)
            for owner in options(expressions.evaluate(run, owner_node)):
                tensors.change_leaf(run, target, owner)
                _set_item(run, owner, key, value)
        case _:
            pass


def with_token(value: Value, token: ast.AST) -> Value:
    """`value`, known to have been made by way of `token`."""
    tokens = tokens_of(value) | {token}
    for part in options(value):
        if isinstance(part, Tensor):
            return tensors.like(part, part.attached, tokens)
    plainly = all(isinstance(part, Const | Number | Plain | Params) for part in options(value))
    return value if plainly else Unknown(tokens)


def place_key(run: Run, target: ast.expr) -> object:
    """Identifies what is added to; None where it cannot be told."""
    match target:
        case ast.Name(id=name):
            return name_key(run, name)
        case ast.Attribute(value=owner_node, attr=attr):
            owner = expressions.evaluate(run, owner_node)
            return (owner, attr) if isinstance(owner, Instance) else None
        case ast.Subscript(value=owner_node):
            owner = expressions.evaluate(run, owner_node)
            return owner if isinstance(owner, Container) else None
        case _:
            return None


def extend(container: Container, item: Value) -> None:
    """`item`s were added to `container`."""
    container.items = None
    container.element = item if _is_empty(container) else join([container.element, item])


def _is_empty(container: Container) -> bool:
    return isinstance(container.element, Unknown) and not container.element.tokens


def delete(run: Run, target: ast.expr) -> None:
    """`del target`: names are unbound, containers emptied."""
    run.changes += 1
    match target:
        case ast.Name(id=name):
            run.frame.unbind(name)
        case ast.Subscript(value=owner):
            held = expressions.evaluate(run, owner)
            for part in options(held):
                run.emit(Kind.RESET, target, key=part)
                if isinstance(part, Instance) and part.arguments is not None:
                    part.arguments.complete = False
        case ast.Attribute(value=owner, attr=attr):
            held = expressions.evaluate(run, owner)
            if isinstance(held, Instance) and not run.is_tentative:
                held.attributes[attr] = Unknown()  # else it had what others of its class have
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part_node in parts:
                delete(run, part_node)
        case _:
            pass
