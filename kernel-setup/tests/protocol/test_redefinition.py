"""A changed definition: never a value of the old one read as a new one, and the reader is told what is gone."""

import re


def result(cell):
    return cell.of("execute_result")[0]["data"]["text/plain"]


def test_what_holds_a_changed_type_is_dropped_and_named(kernel):
    made = kernel.ok(
        "struct Inner { a: i64, b: i64 }\nstruct Holder { inner: Vec<Inner> }\n"
        "impl Drop for Inner { fn drop(&mut self) { println!(\"dropped {}\", self.a) } }\n"
        "let holder = Holder { inner: vec![Inner { a: 7, b: 8 }] };\nlet other = 5;"
    ).reply["execution_count"]
    changed = kernel.ok("struct Inner { a: f64, b: f64 }")
    assert changed.text() == "dropped 7\n", "by the code that made it"
    assert changed.text("stderr") == (
        f"`holder` was made with the former `Inner`, which this cell changes: it is gone; run cell [{made}] again.\n"
    )
    cell = kernel.run("holder.inner[0].b")
    number = changed.reply["execution_count"]
    assert cell.reply["evalue"] == f"`holder` is gone since cell [{number}] changed `Inner`; run cell [{made}] again"
    assert result(kernel.ok("other")) == "5"


def test_a_definition_that_does_not_compile_costs_nothing(kernel):
    kernel.ok("struct Kept { a: i64 }\nlet kept = vec![Kept { a: 3 }];")
    for code in ("struct Kept { a: Nonsense }", "struct Kept { a: f64 }\nlet wrong: i64 = 1.0;", "struct Kept { a: f64"):
        assert kernel.run(code).reply["status"] == "error"
        assert result(kernel.ok("kept[0].a")) == "3"


def test_the_same_definition_again_costs_nothing(kernel):
    code = "struct Same { a: i64 }\nimpl Same { fn f(&self) -> i64 { self.a } }"
    kernel.ok(code + "\nlet same = Same { a: 4 };")
    assert not kernel.ok("// again\n" + code).text("stderr")
    assert not kernel.ok("#[derive(Debug)]\n" + code.replace("self.a }", "self.a + 1 }")).text("stderr")
    assert result(kernel.ok("same.f()")) == "5"


def test_a_cell_that_makes_its_variables_anew(kernel):
    """evcxr alone loses `again`, and says so where there is nothing to say."""
    kernel.ok("#[derive(Debug)] struct Anew { a: i64 }\nlet again = Anew { a: 1 };\nlet left = vec![Anew { a: 2 }];")
    cell = kernel.ok('#[derive(Debug)] struct Anew { b: String }\nlet again = Anew { b: "x".into() };\nprint!("once");')
    assert cell.text() == "once" and "`left` was" in cell.text("stderr") and "`again`" not in cell.text("stderr")
    assert result(kernel.ok("again")) == 'Anew { b: "x" }'


def test_a_type_with_other_parameters(kernel):
    """The old type cannot be named any more in the new cell."""
    kernel.ok("struct Tall<T> { t: T }\nlet tall = Tall { t: 1i64 };")
    assert kernel.run("struct Tall { t: i64 }\nlet wrong: i64 = 1.0;").reply["ename"] == "CompileError"
    assert kernel.run("struct Tall { t: Nonsense }").reply["ename"] == "CompileError"
    assert result(kernel.ok("tall.t")) == "1", "a cell that fails costs nothing"
    kernel.ok("struct Wide<T> { t: T }\nlet wide = Wide { t: 1i64 };")
    assert "`wide` was" in kernel.ok("struct Wide { t: i64 }\nlet narrow = Wide { t: 2 };").text("stderr")
    assert result(kernel.ok("narrow.t")) == "2"


def test_a_trait_behind_a_box(kernel):
    kernel.ok(
        "trait Speak { fn say(&self) -> i64; }\nstruct Dog(i64);\nimpl Speak for Dog { fn say(&self) -> i64 { self.0 } }\n"
        "let boxed: Box<dyn Speak> = Box::new(Dog(1));\nlet f: Box<dyn Fn() -> i64> = Box::new(|| Dog(6).say());"
    )
    cell = kernel.ok(
        "trait Speak { fn more(&self) -> i64 { 9 } fn say(&self) -> i64; }\nstruct Dog(i64);\n"
        "impl Speak for Dog { fn say(&self) -> i64 { -self.0 } }"
    )
    assert "`boxed` was" in cell.text("stderr")
    # It runs the code that it was made with.
    assert result(kernel.ok("f()")) == "6"


def test_an_impl_in_a_cell_of_its_own_is_changed_by_running_it_again(kernel):
    kernel.ok("trait Weigh { fn weigh(&self) -> i64; }\nstruct Cat(i64);\nlet cat = Cat(3);")
    weigh = "impl Weigh for Cat { fn weigh(&self) -> i64 { self.0 } }"
    kernel.ok(weigh)
    assert result(kernel.ok("cat.weigh()")) == "3"
    for code, weight in ((weigh, "3"), (weigh.replace("self.0", "self.0 * 10"), "30"), ("// A word.\n\n" + weigh.replace("self.0", "-self.0"), "-3")):
        assert not kernel.ok(code).text("stderr")
        assert result(kernel.ok("cat.weigh()")) == weight
    # Two of a type's own stand beside each other; one that holds a name again takes the other's place.
    kernel.ok("impl Cat { fn one(&self) -> i64 { 1 } }")
    kernel.ok("let three = 3;\nimpl Cat { fn two(&self) -> i64 { 2 } }")
    kernel.ok("impl Cat { fn one(&self) -> i64 { 10 } fn more(&self) -> i64 { 5 } }")
    assert result(kernel.ok("cat.one() + cat.two() + cat.more()")) == "17"
    # An error shows the reader's own line.
    cell = kernel.run("impl Weigh for Cat {\n    fn weigh(&self) -> i64 { \"three\" }\n}")
    assert "line 2" in cell.traceback and "2 │     fn weigh" in cell.traceback, cell.traceback
    cell = kernel.run("impl Weigh for Cat {\n    fn weigh(&self) -> i64 {\n        let n: Option<i64> = None;\n        n.unwrap()\n    }\n}\ncat.weigh()")
    assert re.search(r"cell \[\d+\], line 4", cell.traceback), cell.traceback
    # All of it in one cell, as one writes it elsewhere.
    kernel.ok("struct Cat(i64);\nimpl Weigh for Cat { fn weigh(&self) -> i64 { 7 } }\nimpl Cat { fn one(&self) -> i64 { 1 } }")
    assert result(kernel.ok("Cat(1).weigh() + Cat(1).one()")) == "8"


def test_what_no_longer_fits_is_set_aside_and_named(own_kernel):
    kernel = own_kernel
    scale = kernel.ok("fn scale(x: f64) -> f64 { 2.0 * x }").reply["execution_count"]
    kernel.ok("struct Gauge { last: f64 }\nimpl Gauge { fn read(&self) -> f64 { scale(self.last) } }\nlet five = 5;")
    gauge = scale + 1
    kernel.ok("trait Show { fn show(&self) -> String; }")
    show = kernel.ok("impl Show for Gauge { fn show(&self) -> String { format!(\"{}\", self.read()) } }").reply["execution_count"]
    made = kernel.ok("let gauge = Gauge { last: 1.5 };").reply["execution_count"]
    assert result(kernel.ok("gauge.show()")) == '"3"'
    cell = kernel.ok("fn scale(x: f64, by: f64) -> f64 { by * x }\nscale(2.0, 4.0)")
    number = cell.reply["execution_count"]
    assert result(cell) == "8.0"
    told = cell.text("stderr")
    assert f"`Gauge` does not fit what this cell changes (this function takes 2 arguments but 1 argument was supplied): it is set aside; run cell [{gauge}] again.\n" in told
    assert f"`impl Show for Gauge` does not fit what this cell changes" in told and f"set aside; run cell [{show}] again" in told
    assert f"`gauge` was made with the former `Gauge`, which this cell changes: it is gone; run cell [{made}] again" in told
    cell = kernel.run("let other = Gauge { last: 2.0 };")
    assert cell.reply["evalue"] == f"`Gauge` is set aside since cell [{number}], whose change it does not fit; run cell [{gauge}] again"
    assert result(kernel.ok("scale(1.0, 2.0) + five as f64")) == "7.0"
    kernel.ok("struct Gauge { last: f64 }\nimpl Gauge { fn read(&self) -> f64 { scale(self.last, 3.0) } }")
    kernel.ok("impl Show for Gauge { fn show(&self) -> String { format!(\"{}\", self.read()) } }")
    assert result(kernel.ok("let gauge = Gauge { last: 1.5 };\ngauge.show()")) == '"4.5"'
    # A cell that fails by itself, too, costs nothing: neither what would not fit nor the variable.
    for code in (
        "fn scale(x: f64) -> f64 { wrong }",
        "fn scale(x: f64) -> f64 { x }\nlet wrong: i64 = 1.0;",
        "fn scale(x: f64) -> f64 { x }\nlet other = Gauge { last: 2.0 };\nother.read();",
    ):
        cell = kernel.run(code)
        assert cell.reply["ename"] == "CompileError" and not cell.text("stderr"), cell.messages
        assert result(kernel.ok("gauge.show()")) == '"4.5"'


def local_crate(folder, name, manifest, source):
    crate = folder / name
    (crate / "src").mkdir(parents=True)
    package = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
    (crate / "Cargo.toml").write_text(package + manifest)
    (crate / "src" / "lib.rs").write_text(source)
    return f':dep {name} = {{ path = "{crate}" }}'


def test_a_crate_that_turns_on_a_feature_of_another(own_kernel, tmp_path):
    """What is made of the one is then other types, though nobody has changed its text."""
    kernel = own_kernel
    scales = local_crate(
        tmp_path,
        "scales",
        "[features]\nfine = []\n",
        "#[derive(Debug)]\npub struct Weight {\n    pub grams: i64,\n    #[cfg(feature = \"fine\")]\n    pub rest: i64,\n}\n"
        "pub fn weigh(grams: i64) -> Weight {\n    Weight { grams, #[cfg(feature = \"fine\")] rest: 9 }\n}\n",
    )
    kitchen = local_crate(
        tmp_path,
        "kitchen",
        '[dependencies]\nscales = { path = "../scales", features = ["fine"] }\n',
        "pub fn rest(weight: &scales::Weight) -> i64 {\n    weight.rest\n}\n",
    )
    kernel.ok(scales)
    kernel.ok("let n = 5;")
    made = kernel.ok("let x = scales::weigh(7);").reply["execution_count"]
    # The same crate once more costs nothing.
    assert not kernel.ok(scales + "\nlet five = 5;").text("stderr")
    assert result(kernel.ok("x.grams")) == "7"
    added = kernel.ok(kitchen)
    number = added.reply["execution_count"]
    assert (
        "`x` was made of crates that have been compiled anew beside a new one: it is gone; "
        f"run cell [{made}] again.\n"
    ) in added.text("stderr")
    assert "`n`" not in added.text("stderr") and "`five`" not in added.text("stderr")
    assert result(kernel.ok("n")) == "5"
    said = kernel.run("x.grams").reply["evalue"]
    assert said.startswith(f"`x` is gone since cell [{number}] added a crate") and f"run cell [{made}] again" in said
    kernel.ok("let x = scales::weigh(8);")
    assert result(kernel.ok("(x.grams, kitchen::rest(&x))")) == "(8, 9)"
    assert result(kernel.ok("n")) == "5"


def test_a_lost_process_is_one_line(own_kernel):
    kernel = own_kernel
    for code in ("let a = 1;", "let b = 2;", "fn f() -> i64 { 4 }", "let c = 3;"):
        kernel.ok(code)
    assert "run cells [1], [2] and [4] again" in kernel.run("std::process::abort();").reply["evalue"]
    cell = kernel.run("a + b + c")
    assert cell.traceback == (
        "CompileError: all variables are gone since cell [5] ended its process; run cells [1], [2] and [4] again"
    )
