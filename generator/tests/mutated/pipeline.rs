//! Everything that is done with a document, on bytes that nobody has looked at; also what `fuzz/` runs.

use etlgen::emit::{Context, Files, files};
use etlgen::explain::explain;
use etlgen::infer::infer;
use etlgen::inspect;
use etlgen::plan::package::{Package, Wanted};
use etlgen::plan::{Options, Runtime, plan};
use etlgen::spec::{Input, read, strict};

/// Reads, infers, plans and emits. What is not a document is told; what is emitted has to be Rust.
pub fn run(document: &[u8], overlay: Option<&[u8]>) {
    let file = |name: &str, bytes: &[u8]| Input {
        name: name.to_owned(),
        bytes: bytes.to_vec(),
        ..Input::default()
    };
    let mut input = file("api", document);
    input
        .overlays
        .extend(overlay.map(|overlay| file("overlay", overlay)));
    let (api, diagnostics) = read(&input);
    let _ = strict(&input);
    let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    let Some(api) = api else {
        let error = said.iter().any(|line| line.starts_with("error: "));
        assert!(error, "neither an API nor an error: {said:?}");
        return;
    };
    let facts = infer(&api);
    inspect::table(&api, &facts);
    inspect::json(&api, &facts);
    for resource in &facts.resources {
        let told = explain(&api, &facts, &resource.name);
        assert!(told.is_ok(), "{told:?}");
    }
    let options = Options {
        // Single objects too.
        include: facts
            .resources
            .iter()
            .map(|resource| resource.name.clone())
            .collect(),
        ..Options::default()
    };
    let Ok(plan) = plan(&api, &facts, &options) else {
        assert!(facts.resources.is_empty(), "{:?}", options.include);
        return;
    };
    let context = Context {
        spec: "api".to_owned(),
        overlays: Vec::new(),
        learned: Files::new(),
        runtime: Runtime {
            version: "0.1.0".to_owned(),
            path: None,
        },
        package: Package::new(Wanted::default()).unwrap(),
        own_workspace: true,
        etlgen_toml: None,
        name: None,
        include: Vec::new(),
        exclude: Vec::new(),
        wanted: Wanted::default(),
    };
    let files = files(&plan, &context).unwrap_or_else(|error| panic!("{error}"));
    for (path, text) in &files {
        if path.ends_with(".rs") {
            let parsed = syn::parse_file(text);
            assert!(parsed.is_ok(), "{path}: {:?}\n{text}", parsed.err());
        }
        if path.ends_with(".toml") {
            let parsed = toml::from_str::<toml::Table>(text);
            assert!(parsed.is_ok(), "{path}: {:?}\n{text}", parsed.err());
        }
    }
}
