"""Random programs: types, aliases, constants and functions, defined and redefined while values are kept.

Every value tells what it was when it was made: its `{:?}` then. Whatever is defined anew after that, it tells the same as
long as it is there, and when it goes, the reader hears of it; a value that holds nothing of what was changed stays.

`ICVAE_PROGRAMS` says how many programs (default 3).
"""

import os
import re
from random import Random

import pytest
from conftest import Kernel

PROGRAMS = int(os.environ.get("ICVAE_PROGRAMS", "3"))
TYPES, ALIASES, CHANGES = 5, 2, 8
LEAVES = ("i64", "f64", "String", "u8", "u32", "bool")


class Program:
    """Definitions as they are now, and values of their types."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.count = 0
        self.types, self.aliases = {}, {}
        self.length = 2
        self.values = {}
        #: what each value holds, by the names of what it is made of
        self.holds = {}

    # Types.

    def leaf(self):
        return ("leaf", self.random.choice(LEAVES))

    def type_for(self, level, depth=0):
        """A type made of leaves and of types above this level."""
        choice = self.random.random()
        if depth > 2 or choice < 0.35 or level + 1 >= TYPES:
            return self.leaf()
        if choice < 0.6:
            return ("named", self.random.randrange(level + 1, TYPES))
        if choice < 0.68 and level + 1 < TYPES - 1:
            return ("alias", self.random.randrange(ALIASES)) if level < 1 else self.leaf()
        wrapper = self.random.choice(("Vec", "Option", "Box", "pair", "array", "map", "Wide"))
        return (wrapper, self.type_for(level, depth + 1))

    def text(self, kind):
        match kind:
            case ("leaf", name):
                return name
            case ("named", number):
                return f"T{number}"
            case ("alias", number):
                return f"A{number}"
            case ("pair", inner):
                return f"({self.text(inner)}, u8)"
            case ("array", inner):
                return f"[{self.text(inner)}; LENGTH]"
            case ("map", inner):
                return f"std::collections::BTreeMap<String, {self.text(inner)}>"
            case (wrapper, inner):
                return f"{wrapper}<{self.text(inner)}>"

    def mentions(self, kind, found=None):
        """The names of all that a type is made of, at any depth."""
        found = set() if found is None else found
        match kind:
            case ("leaf", _):
                pass
            case ("named", number):
                if f"T{number}" not in found:
                    found.add(f"T{number}")
                    for field in self.fields(self.types[number]):
                        self.mentions(field, found)
            case ("alias", number):
                found.add(f"A{number}")
                self.mentions(self.aliases[number], found)
            case (wrapper, inner):
                if wrapper in ("Wide", "array"):
                    found.add({"Wide": "Wide", "array": "LENGTH"}[wrapper])
                self.mentions(inner, found)
        return found

    @staticmethod
    def fields(definition):
        form, parts = definition
        if form == "enum":
            return [field for _, fields in parts for field in fields]
        return [field for _, field in parts]

    # Values.

    def number(self):
        self.count += 1
        return self.count

    def value(self, kind):
        """An expression of this type, and what `{:?}` makes of it."""
        number = self.number()
        match kind:
            case ("leaf", "f64"):
                return f"{number}.25", f"{number}.25"
            case ("leaf", "String"):
                return f'"s{number}".to_owned()', f'"s{number}"'
            case ("leaf", "bool"):
                return ("true", "true") if number % 2 else ("false", "false")
            case ("leaf", "u8"):
                return f"{number % 256}", f"{number % 256}"
            case ("leaf", _):
                return f"{number}", f"{number}"
            case ("alias", which):
                return self.value(self.aliases[which])
            case ("named", which):
                return self.made(which)
            case ("Vec", inner):
                parts = [self.value(inner) for _ in range(self.random.randrange(1, 3))]
                return f"vec![{', '.join(p for p, _ in parts)}]", f"[{', '.join(d for _, d in parts)}]"
            case ("array", inner):
                parts = [self.value(inner) for _ in range(self.length)]
                return f"[{', '.join(p for p, _ in parts)}]", f"[{', '.join(d for _, d in parts)}]"
            case ("Option", inner):
                part, shown = self.value(inner)
                return f"Some({part})", f"Some({shown})"
            case ("Box", inner):
                part, shown = self.value(inner)
                return f"Box::new({part})", shown
            case ("pair", inner):
                part, shown = self.value(inner)
                return f"({part}, {number % 256})", f"({shown}, {number % 256})"
            case ("map", inner):
                part, shown = self.value(inner)
                return f'std::collections::BTreeMap::from([("k".to_owned(), {part})])', f'{{"k": {shown}}}'
            case ("Wide", inner):
                part, shown = self.value(inner)
                extra, extra_shown = self.value(self.wide)
                return f"Wide {{ wide: {part}, extra: {extra} }}", f"Wide {{ wide: {shown}, extra: {extra_shown} }}"

    def made(self, which):
        form, parts = self.types[which]
        name = f"T{which}"
        if form == "enum":
            variant, fields = self.random.choice(parts)
            values = [self.value(field) for field in fields]
            if not values:
                return f"{name}::{variant}", variant
            return (f"{name}::{variant}({', '.join(v for v, _ in values)})", f"{variant}({', '.join(d for _, d in values)})")
        values = [(field, self.value(kind)) for field, kind in parts]
        if form == "tuple":
            return f"{name}({', '.join(v for _, (v, _) in values)})", f"{name}({', '.join(d for _, (_, d) in values)})"
        inner = ", ".join(f"{field}: {v}" for field, (v, _) in values)
        shown = ", ".join(f"{field}: {d}" for field, (_, d) in values)
        return f"{name} {{ {inner} }}", f"{name} {{ {shown} }}"

    # Definitions.

    def define(self, which):
        """A new definition of a type, with a function that makes one and a trait behind which it may hide."""
        # Few names, so that a field often keeps its name and not its type.
        names = self.random.sample("abcd", self.random.randrange(1, 4))
        form = self.random.choice(("struct", "struct", "tuple", "enum"))
        if form == "enum":
            variants = self.random.sample(("Up", "Down", "Left"), self.random.randrange(2, 4))
            parts = [(v, [self.type_for(which) for _ in range(self.random.randrange(0, 3))]) for v in variants]
        else:
            parts = [(name, self.type_for(which)) for name in names]
        self.types[which] = (form, parts)
        if form == "enum":
            inner = [v + (f"({', '.join(map(self.text, fields))})" if fields else "") for v, fields in parts]
            body = f"enum T{which} {{ {', '.join(inner)} }}"
        elif form == "tuple":
            body = f"struct T{which}({', '.join(self.text(kind) for _, kind in parts)});"
        else:
            body = f"struct T{which} {{ {', '.join(f'{name}: {self.text(kind)}' for name, kind in parts)} }}"
        return f"#[derive(Debug)]\n{body}\n{self.methods(which)}"

    def methods(self, which):
        return (
            f"impl T{which} {{ fn version(&self) -> u64 {{ {self.number()} }} }}\n"
            f"impl Tell for T{which} {{ fn tell(&self) -> String {{ format!(\"{{self:?}}\") }} }}"
        )

    def define_alias(self, which):
        self.aliases[which] = (self.random.choice(("Vec", "Option", "Box")), ("named", self.random.randrange(1, TYPES)))
        return f"type A{which} = {self.text(self.aliases[which])};"

    def define_wide(self):
        self.wide = self.leaf()
        return f"#[derive(Debug)]\nstruct Wide<T> {{ wide: T, extra: {self.text(self.wide)} }}"

    def keep(self):
        """Lines that make a few variables, directly, by a function or behind a trait."""
        lines = []
        for _ in range(2):
            name = f"v{self.number()}"
            way = self.random.random()
            kind = ("named", self.random.randrange(TYPES)) if way < 0.5 else self.type_for(-1)
            expression, shown = self.value(kind)
            holds = self.mentions(kind)
            if way < 0.15:
                lines.append(f"let {name}: Box<dyn Tell> = Box::new({expression});")
                self.values[name] = (f"{name}.tell()", shown)
                holds = None
            elif way < 0.3:
                lines.append(f"let {name}: Box<dyn Fn() -> String> = {{ let kept = {expression}; Box::new(move || format!(\"{{kept:?}}\")) }};")
                self.values[name] = (f"{name}()", shown)
                holds = None
            else:
                annotation = f": {self.text(kind)}" if self.random.random() < 0.7 or kind[0] == "leaf" else ""
                if kind[0] == "Option" and not annotation:
                    annotation = f": {self.text(kind)}"
                lines.append(f"let {name}{annotation} = {expression};")
                self.values[name] = (f"format!(\"{{:?}}\", {name})", shown)
            self.holds[name] = holds
        return lines

    def change(self):
        """One redefinition, and the names that it changes."""
        choice = self.random.random()
        if choice < 0.6:
            which = self.random.randrange(TYPES)
            before = self.types[which]
            text = self.define(which)
            return text, {f"T{which}"} if self.types[which] != before else set()
        if choice < 0.7:
            which = self.random.randrange(ALIASES)
            before = self.aliases[which]
            text = self.define_alias(which)
            return text, {f"A{which}"} if self.aliases[which] != before else set()
        if choice < 0.8:
            before = self.wide
            text = self.define_wide()
            return text, {"Wide"} if self.wide != before else set()
        if choice < 0.9:
            self.length = 5 - self.length
            return f"const LENGTH: usize = {self.length};", {"LENGTH"}
        which = self.random.randrange(TYPES)
        form, parts = self.types[which]
        return f"fn other{which}() -> u64 {{ {self.number()} }}", set()


@pytest.fixture(scope="module")
def own():
    kernel = Kernel()
    yield kernel
    kernel.stop()


def check(kernel, program):
    """Every value that is there tells what it told when it was made."""
    names = sorted(program.values)
    if not names:
        return
    cell = kernel.run("\n".join(f'println!("{name} {{}}", {program.values[name][0]});' for name in names))
    assert cell.reply["status"] == "ok", cell.traceback
    told = dict(line.split(" ", 1) for line in cell.text().splitlines())
    assert told == {name: program.values[name][1] for name in names}


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_no_value_is_ever_read_as_what_it_is_not(own, seed):
    own.ok(":clear")
    program = Program(seed)
    # Whatever is defined can be named at once: from the innermost outwards.
    cells = [f"const LENGTH: usize = {program.length};\ntrait Tell {{ fn tell(&self) -> String; }}\n{program.define_wide()}"]
    for which in reversed(range(TYPES)):
        if which == 0:
            cells += [program.define_alias(alias) for alias in range(ALIASES)]
        cells.append(program.define(which))
    for code in cells:
        own.ok(code)
    own.ok("\n".join(program.keep() + program.keep()))
    check(own, program)
    kept = lost = 0
    for _ in range(CHANGES):
        before = dict(program.values)
        code, changed = program.change()
        lines = program.keep()
        cell = own.run("\n".join([code, *lines]))
        assert cell.reply["status"] == "ok", (code, cell.traceback)
        gone = set()
        for line in cell.text("stderr").splitlines():
            assert " made with the former " in line, line
            gone |= set(re.findall(r"`(v\d+)`", line))
        for name in before:
            holds = program.holds[name]
            if holds is not None and not holds & changed:
                assert name not in gone, f"{name} holds nothing of {changed}: {code}"
        for name in gone:
            del program.values[name], program.holds[name]
        kept, lost = kept + len(program.values), lost + len(gone)
        check(own, program)
    assert kept > 0
    print(f"program {seed}: {lost} values went, {kept} were read again")
