"""The text of one class: its signature, its __init__, its forward."""

import textwrap
from collections.abc import Iterator, Sequence

from nas.genome.op_kinds import Call
from nas.model.body import Body, Piece
from nas.model.naming import Parameter

WIDTH = 110


def class_text(
    name: str, doc: str, given: Sequence[Parameter], bodies: Sequence[Body], inputs: int, returns: str
) -> str:
    """A whole class. `bodies` are its uses, `given` the arguments in which they differ."""
    tensors = ", ".join(f"{variable}: Tensor" for variable in "xyzuvw"[:inputs])
    made = "\n".join(_init_lines(bodies, given))
    code = f'class {name}(nn.Module):\n    """{doc}"""\n\n'
    if made:
        code += f"    def __init__({_signature(given)}) -> None:\n        super().__init__()\n"
        code += textwrap.indent(made, " " * 8) + "\n\n"
    code += f"    def forward(self, {tensors}) -> {returns}:\n"
    return code + textwrap.indent("\n".join(bodies[0].forward), " " * 8) + "\n"


def _signature(given: Sequence[Parameter]) -> str:
    """The parameters of __init__: one line, one line of their own, or a line each."""
    parts = ["self"]
    for parameter in sorted(given, key=lambda parameter: parameter.default is not None):
        default = "" if parameter.default is None else f" = {parameter.default!r}"
        parts.append(f"{parameter.name}: {parameter.kind}{default}")
    line = ", ".join(parts)
    if len(f"    def __init__({line}) -> None:") <= WIDTH:
        return line
    if len(line) <= WIDTH - 8:
        return f"\n        {line}\n    "
    return "\n" + "".join(f"        {part},\n" for part in parts) + "    "


class _Values:
    """Hands out the values of __init__ one after another, as an argument's name or as a literal."""

    def __init__(self, bodies: Sequence[Body], given: Sequence[Parameter]) -> None:
        self.names = {slot: parameter.name for parameter in given for slot in parameter.slots}
        self.slots = enumerate(bodies[0].slots())

    def next(self) -> str | None:
        """The next one; None when every use has the default."""
        place, slot = next(self.slots)
        if place in self.names:
            return self.names[place]
        return None if slot.default is not None and slot.value == slot.default else repr(slot.value)


def _init_lines(bodies: Sequence[Body], given: Sequence[Parameter]) -> Iterator[str]:
    values = _Values(bodies, given)
    for attribute, pieces in bodies[0].lines:
        parts = [part for piece in pieces for part in _parts(piece, values)]
        if len(parts) == 1 and not parts[0].startswith("*"):
            yield f"self.{attribute} = {parts[0]}"
        elif len(line := f"self.{attribute} = nn.Sequential({', '.join(parts)})") <= WIDTH - 8:
            yield line
        else:
            yield f"self.{attribute} = nn.Sequential(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def _parts(piece: Piece, values: _Values) -> list[str]:
    """A piece as the arguments of a sequence: one call, or a run of them."""
    call = piece if isinstance(piece, Call) else piece.first
    args = [str(values.next()) for _ in call.args]
    options = [f"{keyword}={text}" for keyword, *_ in call.options if (text := values.next()) is not None]
    if isinstance(piece, Call):
        return [f"{call.target}({', '.join(args + options)})"]
    grows = [str(values.next()) for _ in piece.steps]
    args = [arg if step == "0" else f"{arg} + {step} * i" for arg, step in zip(args, grows, strict=True)]
    made, repeats = f"{call.target}({', '.join(args + options)})", str(values.next())
    index = "_" if all(step == "0" for step in grows) else "i"
    if index == "_" and repeats in ("1", "2"):
        return [made] * int(repeats)
    return [f"*({made} for {index} in range({repeats}))"]
