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

/// Emits `/// text`; nothing for an empty text.
pub fn doc(text: &str) -> TokenStream {
    match text {
        "" => quote!(),
        text => {
            let text = format!(" {text}");
            quote!(#[doc = #text])
        }
    }
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
