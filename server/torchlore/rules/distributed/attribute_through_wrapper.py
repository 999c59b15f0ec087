"""TL702: an attribute of a model is asked of the DDP or DataParallel that wraps it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, members, torch_attributes, torch_facts
from torchlore.analysis.called import Called
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance, LocalClass
from torchlore.rules import bindings, support
from torchlore.rules.distributed import _handing
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span
from torchlore.text.nodes import nodes_in


class AttributeThroughWrapper(Rule):
    """
    ## What it does

    Looks for attributes and methods of a model's own class that are read from the `DistributedDataParallel`
    or `DataParallel` object around it.

    ## Why is this bad?

    The wrapper is a module of its own that has `forward`, `parameters` and what else every module has. The
    model's own attributes stay on the model, which is the wrapper's `module`: reading them raises an
    `AttributeError`, often only on the machine with several devices.

    ## Example

    ```py
    import torch
    from torch.nn.parallel import DistributedDataParallel


    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = torch.nn.Linear(4, 2)

        def forward(self, x):
            return self.encoder(x)


    def train():
        model = DistributedDataParallel(Net())
        print(model.encoder.weight.norm())
    ```

    ## Use instead

    ```py
    import torch
    from torch.nn.parallel import DistributedDataParallel


    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = torch.nn.Linear(4, 2)

        def forward(self, x):
            return self.encoder(x)


    def train():
        model = DistributedDataParallel(Net())
        print(model.module.encoder.weight.norm())
    ```

    ## Fix safety

    Unsafe: a method that is called on `model.module` in place of the wrapper runs without DDP's forward. For
    an attribute that is what you want; a step that trains should go through the wrapper's own call.

    ## Known limits

    Follows a name within its function, an attribute of `self` that `__init__` binds once, and a parameter of
    a function that the file only calls, with one wrapped model. Silent where the model is wrapped on some
    paths only, and for `FullyShardedDataParallel`, which passes attributes on.

    ## References

    - [torch.nn.parallel.DistributedDataParallel](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html)
    """

    code = "TL702"
    name = "attribute-through-wrapper"
    family = Family.DISTRIBUTED
    severity = Severity.ERROR
    since = "0.1.0"
    card = "ddp"
    trigger = r"\b(?:DistributedDataParallel|DataParallel)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        wrapping = {call.node: call for call in analysis.called(*_WRAPPERS)}
        models = {model for call in wrapping.values() for model in _models(call)}
        if not models:
            return
        for node, owner in analysis.run.owners.items():
            if owner in models and isinstance(owner, Instance) and _is_own(owner, node.attr):
                bound = _handing.last_given(analysis, node.value) if analysis.owns(node) else None
                call = wrapping.get(bound) if isinstance(bound, ast.Call) else None
                if call is not None and _is_certain(analysis, node, bound):
                    yield self._finding(analysis, node, owner, call)

    def _finding(self, analysis: Analysis, node: ast.Attribute, model: Instance, call: Called) -> Finding:
        name = support.written(analysis, node.value)
        cls = model.cls.node.name if isinstance(model.cls, LocalClass) else model.cls.rpartition(".")[2]
        wrapper = call.name.rpartition(".")[2]
        message = (
            f"`{support.written(analysis, node)}` raises an AttributeError: `{name}` is the `{wrapper}` made "
            f"{support.on_line(analysis, call.node)}, and `{node.attr}` belongs to the `{cls}` in it"
        )
        end = analysis.source.span(node).end
        after = analysis.source.span(node.value).end
        fix = Fix(
            f"Ask the model itself: `{name}.module.{node.attr}`",
            (Edit(Span(after, after), ".module"),),
            safe=False,
        )
        related = support.related(analysis, call.node, "the model is wrapped here")
        return self.finding(message, Span(end - len(node.attr), end), fixes=(fix,), related=related)


_WRAPPERS = ("torch.nn.parallel.DistributedDataParallel", "torch.nn.DataParallel")


def _models(call: Called) -> Iterator[Instance]:
    """What a wrapper is put around, where that is surely of a class of the workspace, or a layer of torch."""
    given = call.value(0, "module")
    for model in options(given) if given is not None else ():
        if isinstance(model, Instance) and (isinstance(model.cls, LocalClass) or _has_weights(model.cls)):
            yield model


def _has_weights(cls: str) -> bool:
    return cls.startswith("torch.nn.") and torch_facts.has_parameters(cls)


def _is_own(model: Instance, attr: str) -> bool:
    """Whether an attribute is the model's, and none that a wrapper has too."""
    if attr.startswith("_") or attr in OF_WRAPPERS:
        return False
    if not isinstance(model.cls, LocalClass):
        return torch_attributes.of_module(model, attr, model.cls) is not None
    return attr in model.attributes or members.lookup(model.cls, attr) is not None


def _is_certain(analysis: Analysis, node: ast.Attribute, made: ast.expr | None) -> bool:
    """Whether the attribute is read as it seems, and nobody asks before whether it is there."""
    statement = support.statement_of(analysis, node)
    if statement is None or made is None or not analysis.is_whole(statement):
        return False
    if support.expects_an_error(analysis, node):
        return False
    name = bindings.spelled(node.value)
    for outer in analysis.around(node) or ():
        if isinstance(outer, ast.If | ast.IfExp | ast.BoolOp | ast.While):
            test = outer if isinstance(outer, ast.BoolOp) else outer.test
            if any(_asks(part, name) for part in nodes_in(test)):
                return False
    ends = (made.lineno, statement.lineno, statement.end_lineno or statement.lineno)
    lines = range(min(ends) - 1, max(ends))  # of a parameter, the model is wrapped below or above
    return analysis.source.parsed.blanked.isdisjoint(lines)


def _asks(node: ast.AST, name: str | None) -> bool:
    """`isinstance(model, DDP)`, `hasattr(model, "module")`."""
    return isinstance(node, ast.Call) and any(bindings.spelled(part) == name for part in node.args)


OF_WRAPPERS = words(
    """
    T_destination add_module apply batched_grad_copy bfloat16 broadcast_bucket_size broadcast_buffers
    bucket_bytes_cap bucket_bytes_cap_default bucket_bytes_cap_list buffers call_super_init children
    compile cpu cuda device device_ids device_type dim double dump_patches eval extra_repr
    find_unused_parameters float forward forward_sync_buffers gather get_buffer get_extra_state
    get_parameter get_submodule gradient_as_bucket_view half ipu is_multi_device_module join join_device
    join_hook join_process_group load_state_dict logger mixed_precision module modules modules_buffers
    mtia named_buffers named_children named_module_buffers named_modules named_parameters no_sync
    output_device parallel_apply parameters parameters_to_ignore process_group reducer
    register_backward_hook register_buffer register_comm_hook register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook replicate
    require_backward_grad_sync require_forward_param_sync requires_grad_ scatter set_extra_state
    set_submodule share_memory skip_all_reduce_unused_params src_device_obj state_dict static_graph to
    to_empty to_kwargs train training type use_side_stream_for_tensor_copies will_sync_module_buffers
    xpu zero_grad
    """
)
"""What a `DistributedDataParallel` or a `DataParallel` has of its own (torch 2.13)."""
