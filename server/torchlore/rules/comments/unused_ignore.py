"""TL001 unused-ignore."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from torchlore.analysis import Analysis
from torchlore.rules.model import Family, Finding, Fix, LastRule, Severity
from torchlore.rules.suppression import Directive, covered, directives
from torchlore.text import Edit, Source


class UnusedIgnore(LastRule):
    """
    ## What it does

    Reports comments that switch a rule off where that rule finds nothing: `# torchlore: ignore[TL101]`,
    `# noqa: TL101`, and `# torchlore: ignore` on a line without any finding.

    ## Why is this bad?

    The mistake that it excused is gone, and the comment still says that there is one. It would also hide the
    next one on this line.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).pow(2).mean().backward()
        optimizer.step()  # torchlore: ignore[TL101]
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).pow(2).mean().backward()
        optimizer.step()
    ```

    ## Fix safety

    Safe: nothing but the comment, or the code in it, is taken out.

    ## Known limits

    Silent about rules that are switched off, about a plain `# noqa`, which may be meant for another tool, and
    in a file that does not parse as a whole.

    ## References

    - [Ruff: the same for its own rules](https://docs.astral.sh/ruff/rules/unused-noqa/)
    """

    code = "TL001"
    name = "unused-ignore"
    family = Family.COMMENTS
    severity = Severity.WARNING
    since = "0.1.0"
    card = ""
    trigger = r"\b(?:ignore|noqa)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return next(directives(source), None) is not None

    def judge(self, analysis: Analysis, found: Sequence[Finding], off: Set[str]) -> Iterator[Finding]:
        source = analysis.source
        if source.parsed.blanked or analysis.rests_on_broken:
            return  # what is being typed may be what is excused
        for directive in directives(source):
            hidden = [finding for finding in found if covered(source, directive, finding)]
            used = {name for finding in hidden for name in (finding.code, finding.name.upper())}
            own = [code for code in directive.codes if _is_ours(directive, code)]
            unused = [code for code in own if code.upper() not in used | off]
            if unused or not (directive.codes or hidden or directive.is_noqa or off):
                yield self._report(directive, unused)

    def _report(self, directive: Directive, unused: list[str]) -> Finding:
        kept = [code for code in directive.codes if code not in unused]
        names = ", ".join(f"`{code}`" for code in unused) or "Everything"
        message = f"{names} {'are' if len(unused) > 1 else 'is'} ignored here, but nothing is found"
        if kept:
            title, edit = f"Take {names} out of the comment", directive.with_codes(kept)
        else:
            title, edit = "Take the comment out", Edit(directive.removable, "")
        return self.finding(message, directive.span, fixes=(Fix(title, (edit,), safe=True),))


def _is_ours(directive: Directive, code: str) -> bool:
    """Whether a code is one of torchlore's: in a `noqa` there may be others'."""
    return not directive.is_noqa or code.upper().startswith("TL")
