"""The source of one class: its signature, its __init__ and its forward."""

import textwrap
from collections.abc import Iterator, Sequence

from nas.genome.op_kinds import Call
from nas.model.body import Body, CodeBlock
from nas.model.naming import Parameter

WIDTH = 110


def class_text(
    name: str, doc: str, given: Sequence[Parameter], bodies: Sequence[Body], inputs: int, returns: str
) -> str:
    """Return the source of a class. `bodies` are its uses, `given` the arguments in which they differ."""
    tensors = ", ".join(f"{variable}: Tensor" for variable in "xyzuvw"[:inputs])
    made = "\n".join(_init_lines(bodies, given))
    code = f'class {name}(nn.Module):\n    """{doc}"""\n\n'
    if made:
        code += f"    def __init__({_signature(given)}) -> None:\n        super().__init__()\n"
        code += textwrap.indent(made, " " * 8) + "\n\n"
    code += f"    def forward(self, {tensors}) -> {returns}:\n"
    return code + textwrap.indent("\n".join(bodies[0].forward), " " * 8) + "\n"


def _signature(given: Sequence[Parameter]) -> str:
    """Return the parameters of __init__: on its line, on a line of their own, or on one line each."""
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
    """The values of __init__ one after another, each as an argument's name or as a literal."""

    def __init__(self, bodies: Sequence[Body], given: Sequence[Parameter]) -> None:
        self.names = {i: parameter.name for parameter in given for i in parameter.positions}
        self.arguments = enumerate(bodies[0].arguments())

    def next(self) -> str | None:
        """Return the next value; None when every use has the default."""
        position, argument = next(self.arguments)
        if position in self.names:
            return self.names[position]
        is_default = argument.default is not None and argument.value == argument.default
        return None if is_default else repr(argument.value)


def _init_lines(bodies: Sequence[Body], given: Sequence[Parameter]) -> Iterator[str]:
    values = _Values(bodies, given)
    for attribute, blocks in bodies[0].attributes:
        parts = [part for block in blocks for part in _parts(block, values)]
        if len(parts) == 1 and not parts[0].startswith("*"):
            yield _broken(f"self.{attribute} = {parts[0]}")
        elif len(line := f"self.{attribute} = nn.Sequential({', '.join(parts)})") <= WIDTH - 8:
            yield line
        else:
            yield f"self.{attribute} = nn.Sequential(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def _broken(line: str) -> str:
    """Return a line that makes a module, with its arguments on a line of their own if it is too long."""
    if len(line) <= WIDTH:
        return line
    start, _, arguments = line.partition("(")
    return f"{start}(\n    {arguments.removesuffix(')')}\n)"


def _parts(block: CodeBlock, values: _Values) -> list[str]:
    """Return a block as arguments of nn.Sequential: one call, or a generator of several."""
    call = block if isinstance(block, Call) else block.first
    args = [str(values.next()) for _ in call.args]
    options = [f"{keyword}={text}" for keyword, *_ in call.options if (text := values.next()) is not None]
    if isinstance(block, Call):
        return [f"{call.target}({', '.join(args + options)})"]
    grows = [str(values.next()) for _ in block.steps]
    args = [arg if step == "0" else f"{arg} + {step} * i" for arg, step in zip(args, grows, strict=True)]
    made, repeats = f"{call.target}({', '.join(args + options)})", str(values.next())
    index = "_" if all(step == "0" for step in grows) else "i"
    if index == "_" and repeats in ("1", "2"):
        return [made] * int(repeats)
    return [f"*({made} for {index} in range({repeats}))"]
