//! The whole pipeline on arbitrary bytes; `fuzz/` runs it, too.

use etlgen::{Input, Options, Severity, View, generate};

/// Generates a crate. Bytes that are not a document are an error; generated files must be valid Rust.
pub fn run(document: &[u8], overlay: Option<&[u8]>) {
    let mut input = Input::new("api", document);
    let overlay = overlay.map(|overlay| Input::new("overlay", overlay));
    input.overlays.extend(overlay);
    let mut options = Options::default();
    options.everything = true;
    options.strict = true;
    options.skip_rustfmt = true;
    let generation = match generate(input, &options) {
        Ok(generation) => generation,
        Err(error) => {
            assert_eq!(error.severity(), Severity::Error, "{error}");
            return;
        }
    };
    generation.table(&View::default());
    generation.inspect();
    for resource in generation.resources() {
        let explained = generation.explain(resource);
        assert!(explained.is_ok(), "{explained:?}");
    }
    for (path, text) in &generation.files {
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
