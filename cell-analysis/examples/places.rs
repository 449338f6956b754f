fn main() {
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string("kernel-setup/tests/protocol/places.json").unwrap()).unwrap();
    let mut a = cell_analysis::Analysis::new();
    let t = std::time::Instant::now();
    let graph = cell_analysis::Graph::read(&std::fs::read_to_string("/tmp/an/metadata.json").unwrap()).unwrap();
    a.load(&graph);
    eprintln!("load {:?}", t.elapsed());
    a.at_hand(vec![("plotters".into(), "0.3.7".into())]);
    if std::env::var("DOCS").is_ok() { a.documented_in("/root/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/share/doc/rust/html".into()); }
    for (i, cell) in json["setup"].as_array().unwrap().iter().enumerate() { a.cell(i as u64 + 1, cell.as_str().unwrap()); }
    let v = |name: &str, ty: &str, value: Option<&str>| cell_analysis::Variable { name: name.into(), ty: ty.into(), value: value.map(Into::into), cell: Some(3) };
    a.variables(vec![v("number","i32",Some("5")), v("values","Vec<f64>",Some("[1.5, 2.5]")), v("name","String",None), v("points","Vec<Point>",None), v("shape","Shape",None), v("counts","HashMap<String, i32>",None), v("test_x","Tensor",None), v("digits","Dataset",None)]);
    let only = std::env::args().nth(1);
    let (mut right, mut all, mut times) = (0, 0, vec![]);
    for p in json["places"].as_array().unwrap() {
        let code = p["code"].as_str().unwrap();
        if only.as_ref().is_some_and(|o| !code.contains(o.as_str())) { continue }
        let cursor = code.find('¦').unwrap();
        let text = code.replace('¦', "");
        let list = |k: &str| -> Vec<String> { p[k].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect() };
        let t = std::time::Instant::now();
        let (ok, shown) = if p["ask"] == "complete" {
            let got = a.complete(&text, cursor);
            let texts: Vec<&str> = got.items.iter().map(|i| i.text.as_str()).collect();
            let ok = list("has").iter().all(|h| texts.contains(&h.as_str())) && !list("lacks").iter().any(|h| texts.contains(&h.as_str()))
              && p["first"].as_str().is_none_or(|f| texts.first() == Some(&f));
            (ok, format!("{:?}", &texts[..texts.len().min(if only.is_some() {200} else {12})]))
        } else {
            let got = a.inspect(&text, cursor, p["detail"] == 1);
            let got = got.map(|g| if only.is_some() { format!("{}\n----\n{}", g.plain, g.html) } else { g.plain }).unwrap_or_default();
            (list("has").iter().all(|h| got.contains(h)) && !list("lacks").iter().any(|h| got.contains(h)), if only.is_some() { got } else { got.chars().take(150).collect::<String>() })
        };
        times.push(t.elapsed());
        all += 1; if ok { right += 1 }
        if !ok || only.is_some() { println!("{} {} {:?}\n    {shown}", if ok {"ok "} else {"BAD"}, p["ask"].as_str().unwrap(), code); }
    }
    times.sort();
    println!("{right} of {all}; 95 %: {:?}, most {:?}", times[times.len() * 95 / 100], times.last());
}
