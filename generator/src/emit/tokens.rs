//! Emits small pieces of Rust.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::plan::is_keyword;

/// Emits an identifier; a keyword is written `r#type`.
pub fn ident(name: &str) -> Ident {
    match is_keyword(name) {
        true => Ident::new_raw(name, Span::call_site()),
        false => Ident::new(name, Span::call_site()),
    }
}

/// The longest line of a file.
const WIDTH: usize = 100;

/// Emits `/// text` in front of an item, in lines that fit; nothing for an empty text.
pub fn doc(text: &str) -> TokenStream {
    doc_at(0, text)
}

/// Emits `/// text` in front of a field or a variant.
pub fn field_doc(text: &str) -> TokenStream {
    doc_at(4, text)
}

fn doc_at(indent: usize, text: &str) -> TokenStream {
    let lines = wrapped(text, WIDTH - indent - "/// ".len());
    let lines = lines.iter().map(|line| format!(" {line}"));
    quote!(#(#[doc = #lines])*)
}

/// Divides a text into lines of at most `width` characters, if its words allow it. No line begins
/// with what markdown takes for a list, a title or a quote, and code in backticks stays on one
/// line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut is_code = false;
    for word in text.split(' ') {
        let length = |line: &String| line.chars().count() + 1 + word.chars().count();
        match lines.last_mut() {
            Some(line) if is_code || is_mark(word) || length(line) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
        is_code ^= word.matches('`').count() % 2 == 1;
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Returns whether a word at the begin of a line has a meaning in markdown.
fn is_mark(word: &str) -> bool {
    let number = word.trim_end_matches(['.', ')']);
    let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    word.starts_with(['-', '+', '*', '#', '>', '|', '=', '~']) || digits
}

/// Emits `#[cfg(…)]` for code that any of these features enables; nothing without features.
pub fn for_features(features: &[String]) -> TokenStream {
    match features {
        [] => quote!(),
        [feature] => quote!(#[cfg(feature = #feature)]),
        features => quote!(#[cfg(any(#(feature = #features),*))]),
    }
}

/// Emits `//! text` lines.
pub fn inner_doc(lines: &[&str]) -> TokenStream {
    let lines = lines.iter().map(|line| match *line {
        "" => String::new(),
        line => format!(" {line}"),
    });
    quote!(#(#![doc = #lines])*)
}

/// Returns the file as text, with a blank line between items that do not belong together.
pub fn print(file: syn::File) -> String {
    let part = |attrs, items| syn::File {
        attrs,
        items,
        shebang: None,
        frontmatter: None,
    };
    let mut paragraphs: Vec<syn::File> = Vec::new();
    if !file.attrs.is_empty() {
        paragraphs.push(part(file.attrs, Vec::new()));
    }
    let mut kind = None;
    for item in file.items {
        let next = paragraph(&item);
        match paragraphs.last_mut() {
            Some(last) if next.is_some() && next == kind => last.items.push(item),
            _ => paragraphs.push(part(Vec::new(), vec![item])),
        }
        kind = next;
    }
    let paragraphs: Vec<String> = paragraphs.iter().map(prettyplease::unparse).collect();
    paragraphs.join("\n")
}

/// Returns the group of an item: modules, re-exports, imports of the crate, other imports.
fn paragraph(item: &syn::Item) -> Option<u8> {
    match item {
        syn::Item::Mod(_) => Some(0),
        syn::Item::Use(item) => match (&item.vis, &item.tree) {
            (syn::Visibility::Public(_), _) => Some(1),
            (_, syn::UseTree::Path(path)) if path.ident == "crate" => Some(2),
            _ => Some(3),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_fit_and_begin_with_words() {
        let lines = wrapped("of three - or 4. of `a b c` and more", 10);
        assert_eq!(lines, ["of three -", "or 4. of", "`a b c`", "and more"]);
        let lines = wrapped("of three 1. - or", 10);
        assert_eq!(lines, ["of three 1. -", "or"]);
        assert!(wrapped("", 10).is_empty());
        assert_eq!(wrapped("averylongword b", 4), ["averylongword", "b"]);
    }
}
