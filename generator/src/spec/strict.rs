//! Checks whether strict readers accept a document: etlgen's own reader is tolerant, most others are not.

use openapiv3::OpenAPI;

use super::load::Input;
use super::overlaid;
use crate::diagnostics::printable;

/// Reads the document as strict OpenAPI 3.0; an error names the violation.
pub fn strict(input: &Input) -> Result<OpenAPI, String> {
    let value = overlaid(input).ok_or("it is neither JSON nor YAML")?;
    match value.get("openapi").and_then(|version| version.as_str()) {
        Some(version) if version.starts_with("3.0") => {}
        _ => return Err("it is of another version".to_owned()),
    }
    serde_json::from_value(value).map_err(|error| printable(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::spec::read;

    /// The (method, path, id, names of parameters) of each operation.
    type Operations = BTreeSet<(String, String, Option<String>, Vec<String>)>;

    fn strictly(document: &OpenAPI) -> Operations {
        let names = |parameters: &[openapiv3::ReferenceOr<openapiv3::Parameter>]| {
            let items = parameters
                .iter()
                .filter_map(|parameter| parameter.as_item());
            let mut names: Vec<_> = items
                .map(|item| item.parameter_data_ref().name.clone())
                .collect();
            names.sort();
            names
        };
        let operations = document.operations();
        operations
            .map(|(path, method, operation)| {
                let id = operation.operation_id.clone();
                (
                    method.to_owned(),
                    path.to_owned(),
                    id,
                    names(&operation.parameters),
                )
            })
            .collect()
    }

    #[test]
    fn the_tolerant_reader_finds_what_a_strict_one_finds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../generated-examples/specs");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let input = Input::load(&path.display().to_string()).unwrap();
            let expected = strictly(&strict(&input).unwrap());
            let (api, _) = read(&input);
            let found: Operations = api
                .unwrap()
                .operations
                .iter()
                .map(|operation| {
                    let (method, path) = (operation.method.clone(), operation.path.clone());
                    // References are resolved here; the strict reader keeps them.
                    let known = expected
                        .iter()
                        .find(|known| known.0 == method && known.1 == path);
                    let names = operation
                        .parameters
                        .iter()
                        .map(|parameter| parameter.name.clone());
                    let mut names: Vec<_> = names
                        .filter(|name| known.is_none_or(|known| known.3.contains(name)))
                        .collect();
                    names.sort();
                    (method, path, operation.id.clone(), names)
                })
                .collect();
            assert_eq!(found, expected, "{}", path.display());
        }
    }

    #[test]
    fn what_is_against_the_letter_is_named() {
        let input = Input {
            name: "x".to_owned(),
            bytes: b"openapi: 3.0.0\ninfo: {title: x}\npaths: {}\n".to_vec(),
            ..Input::default()
        };
        assert!(strict(&input).unwrap_err().contains("version"));
    }
}
