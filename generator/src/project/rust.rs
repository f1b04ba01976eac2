//! Checks that a merged Rust file parses and defines nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use quote::ToTokens;
use syn::spanned::Spanned;

/// Parses a text; an error has the line, from 1, and the parser's message.
pub fn parse(text: &str) -> Result<syn::File, (usize, String)> {
    syn::parse_file(text).map_err(|error| (error.span().start().line, error.to_string()))
}

/// Returns the text as rustfmt prints it with the configuration that applies in `folder`, or with
/// none; `None`: it cannot be formatted.
pub fn formatted(text: &str, folder: Option<&Path>) -> Option<String> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--emit", "stdout", "--quiet"]);
    let none = tempfile::NamedTempFile::with_suffix(".toml").ok()?;
    let config = match folder {
        Some(folder) => config(folder)?,
        None => none.path().to_owned(),
    };
    command.arg("--config-path").arg(config);
    let mut running = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = running.stdin.take()?;
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = running.wait_with_output().ok()?;
    let written = writer.join().ok()?.is_ok();
    (written && output.status.success()).then(|| String::from_utf8(output.stdout).ok())?
}

/// Returns the rustfmt configuration that applies in a folder.
pub fn config(folder: &Path) -> Option<std::path::PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let places = folder
        .ancestors()
        .flat_map(|folder| ["rustfmt.toml", ".rustfmt.toml"].map(|name| folder.join(name)));
    places.into_iter().find(|path| path.is_file())
}

/// A named definition: `Invoice.amount` is of type `Option < i64 >`.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The struct that has it as a field.
    pub of: Option<String>,
    pub name: String,
    pub kind: &'static str,
    /// The type of a field or the signature of a function.
    pub what: String,
    /// The first and last line, from 1, with attributes and documentation.
    pub lines: (usize, usize),
}

/// Returns the items of a file and the fields of its structs.
pub fn definitions(file: &syn::File) -> Vec<Definition> {
    let mut found = Vec::new();
    for item in &file.items {
        let (kind, name, what) = match item {
            syn::Item::Fn(item) => (
                "function",
                item.sig.ident.to_string(),
                tokens(&item.sig.output),
            ),
            syn::Item::Struct(item) => ("type", item.ident.to_string(), String::new()),
            syn::Item::Enum(item) => ("type", item.ident.to_string(), String::new()),
            syn::Item::Type(item) => ("type", item.ident.to_string(), tokens(&item.ty)),
            syn::Item::Mod(item) => ("module", item.ident.to_string(), String::new()),
            syn::Item::Use(item) => ("import", tokens(&item.tree), String::new()),
            _ => continue,
        };
        let lines = lines(item);
        let definition = Definition {
            of: None,
            name: name.clone(),
            kind,
            what,
            lines,
        };
        found.push(definition);
        if let syn::Item::Struct(item) = item {
            let fields = item.fields.iter().filter_map(|field| {
                Some(Definition {
                    of: Some(name.clone()),
                    name: field.ident.as_ref()?.to_string(),
                    kind: "field",
                    what: tokens(&field.ty),
                    lines: self::lines(field),
                })
            });
            found.extend(fields);
        }
    }
    found
}

fn lines(node: &impl Spanned) -> (usize, usize) {
    let span = node.span();
    (span.start().line, span.end().line)
}

fn tokens(node: &impl ToTokens) -> String {
    node.to_token_stream().to_string()
}

/// Returns pairs of definitions with the same name in the same place. The second one is an error.
pub fn doubled(file: &syn::File) -> Vec<(Definition, Definition)> {
    let mut seen: BTreeMap<(Option<String>, bool, String), Definition> = BTreeMap::new();
    let mut found = Vec::new();
    for definition in definitions(file) {
        // Functions and types have separate namespaces; imports are compared by their text.
        let key = (
            definition.of.clone(),
            definition.kind == "function",
            definition.name.clone(),
        );
        match seen.get(&key) {
            Some(first) => found.push((first.clone(), definition)),
            None => _ = seen.insert(key, definition),
        }
    }
    found
}

/// The definitions of several files, by place, kind and name: a module may have the name of a
/// function in it.
pub type Definitions = BTreeMap<(Option<String>, &'static str, String), Definition>;

/// Returns the definitions of one set of files that another set lacks or defines differently.
pub fn changed(before: &Definitions, after: &Definitions) -> Vec<(Definition, Option<String>)> {
    let types: BTreeSet<&String> = after
        .keys()
        .filter(|key| key.1 == "type")
        .map(|key| &key.2)
        .collect();
    before
        .iter()
        .filter_map(|(key, definition)| {
            if definition.kind == "import" {
                return None;
            }
            // If a type is removed, only the type itself is reported.
            if key.0.as_ref().is_some_and(|of| !types.contains(of)) {
                return None;
            }
            match after.get(key) {
                None => Some((definition.clone(), None)),
                Some(now) if now.what != definition.what => {
                    Some((definition.clone(), Some(now.what.replace(' ', ""))))
                }
                Some(_) => None,
            }
        })
        .collect()
}

/// Returns whether a line of code uses a definition.
pub fn mentions(line: &str, definition: &Definition) -> bool {
    let code = line.trim();
    if code.starts_with("//") {
        return false;
    }
    let found = |text: &str, before: &str, ends: fn(&str) -> bool| {
        code.match_indices(&format!("{before}{text}"))
            .any(|(at, found)| {
                let (begin, rest) = (&code[..at], &code[at + found.len()..]);
                let in_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !in_name(rest.chars().next())
                    && (!before.is_empty() || !in_name(begin.chars().next_back()))
                    && ends(rest)
            })
    };
    let word = |text: &str, before: &str| found(text, before, |_| true);
    let name = definition.name.trim_start_matches("r#");
    match definition.kind {
        "field" => word(&definition.name, ".") || word(&name.to_uppercase(), "::"),
        "module" => {
            found(&definition.name, "", |rest| rest.starts_with("::"))
                || found(&definition.name, "::", |rest| !rest.starts_with('('))
        }
        _ => word(&definition.name, ""),
    }
}
