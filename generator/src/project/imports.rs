//! Unites the imports of three versions of a file: of two lists of names that both changed, all names
//! are wanted that neither side removed.

use std::collections::BTreeSet;
use std::ops::Range;

use quote::ToTokens;
use syn::spanned::Spanned;

use super::rust;

/// Returns the base, the owner's and the new version with the same imports, if both sides changed
/// them; `None`: the merge of lines suffices, or something else stands between the imports.
pub fn united(texts: [&str; 3]) -> Option<[String; 3]> {
    let [base, mine, theirs] = texts.map(Block::of);
    let (base, mine, theirs) = (base?, mine?, theirs?);
    if mine.names == base.names || theirs.names == base.names || mine.names == theirs.names {
        return None;
    }
    let removed = |name: &&Name| base.names.contains(*name) && !mine.names.contains(*name);
    let kept = theirs.names.iter().filter(|name| !removed(name));
    let mut names: BTreeSet<Name> = kept.cloned().collect();
    let added = mine.names.iter().filter(|name| !base.names.contains(*name));
    names.extend(added.cloned());
    let block = if names == mine.names {
        mine.text()
    } else if names == theirs.names {
        theirs.text()
    } else {
        written(&names)
    };
    Some([&base, &mine, &theirs].map(|version| version.with(&block)))
}

/// An imported name: the path to it, and the name, which may be `*` or `a as b`.
type Name = (Vec<String>, String);

/// The private imports at the beginning of a file.
struct Block<'a> {
    lines: Vec<&'a str>,
    /// The lines of the imports.
    range: Range<usize>,
    names: BTreeSet<Name>,
}

impl<'a> Block<'a> {
    fn of(text: &'a str) -> Option<Block<'a>> {
        let file = rust::parse(text).ok()?;
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (mut names, mut inside) = (BTreeSet::new(), Vec::new());
        let is_import = |item: &syn::Item| matches!(item, syn::Item::Use(item) if item.attrs.is_empty() && matches!(item.vis, syn::Visibility::Inherited));
        let count = file.items.iter().take_while(|item| is_import(item)).count();
        let (imports, others) = file.items.split_at(count);
        if others.iter().any(is_import) {
            return None;
        }
        for item in imports {
            if let syn::Item::Use(import) = item {
                let span = import.span();
                inside.push(span.start().line.checked_sub(1)?..span.end().line);
                flatten(&import.tree, &mut Vec::new(), &mut names);
            }
        }
        let range = inside.first()?.start..inside.last()?.end;
        let plain = |at: usize| {
            let line = lines.get(at).copied().unwrap_or_default();
            let is_inside = inside.iter().any(|range| range.contains(&at));
            !line.contains("//") && !line.contains("/*") && (is_inside || line.trim().is_empty())
        };
        range.clone().all(plain).then_some(Block {
            lines,
            range,
            names,
        })
    }

    fn text(&self) -> String {
        self.lines
            .get(self.range.clone())
            .unwrap_or_default()
            .concat()
    }

    /// Returns the file with other imports.
    fn with(&self, block: &str) -> String {
        let before = self.lines.get(..self.range.start).unwrap_or_default();
        let after = self.lines.get(self.range.end..).unwrap_or_default();
        [&before.concat(), block, &after.concat()].concat()
    }
}

fn flatten(tree: &syn::UseTree, path: &mut Vec<String>, names: &mut BTreeSet<Name>) {
    match tree {
        syn::UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            flatten(&inner.tree, path, names);
            path.pop();
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path, names);
            }
        }
        leaf => _ = names.insert((path.clone(), leaf.to_token_stream().to_string())),
    }
}

/// Writes imports as etlgen generates them: those of other crates first.
fn written(names: &BTreeSet<Name>) -> String {
    let is_own = |path: &[String]| {
        let first = path.first().map(String::as_str);
        matches!(first, Some("crate" | "self" | "super"))
    };
    let mut paragraphs = [String::new(), String::new()];
    let mut paths: Vec<&Vec<String>> = names.iter().map(|(path, _)| path).collect();
    paths.dedup();
    for path in paths {
        let of_path = names.iter().filter(|(other, _)| other == path);
        let of_path: Vec<&str> = of_path.map(|(_, name)| name.as_str()).collect();
        let [other, own] = &mut paragraphs;
        let text = if is_own(path) { own } else { other };
        let prefix = path.join("::");
        match of_path.as_slice() {
            names if path.len() < 2 => names.iter().for_each(|name| {
                let colons = if prefix.is_empty() { "" } else { "::" };
                text.push_str(&format!("use {prefix}{colons}{name};\n"));
            }),
            [name] => text.push_str(&format!("use {prefix}::{name};\n")),
            names => text.push_str(&format!("use {prefix}::{{{}}};\n", names.join(", "))),
        }
    }
    let filled = paragraphs.iter().filter(|text| !text.is_empty());
    let text = filled.cloned().collect::<Vec<_>>().join("\n");
    rust::formatted(&text, None).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::united;

    #[test]
    fn names_of_both_sides_are_imported() {
        let base = "//! A.\n\nuse p::*;\n\nuse crate::types::{A, B, C};\n\nfn f() {}\n";
        let mine = base.replace("B, C", "C, Mine").replace("f()", "mine()");
        let theirs = base
            .replace("C}", "C, D}")
            .replace("p::*;\n", "p::*;\n\nuse crate::api;\n");
        let [base, mine, theirs] = united([base, &mine, &theirs]).unwrap();
        let imports = "use p::*;\n\nuse crate::api;\nuse crate::types::{A, C, D, Mine};\n";
        assert_eq!(mine, format!("//! A.\n\n{imports}\nfn mine() {{}}\n"));
        assert_eq!(base, format!("//! A.\n\n{imports}\nfn f() {{}}\n"));
        assert_eq!(base, theirs);
    }

    #[test]
    fn imports_with_comments_are_left_to_the_merge_of_lines() {
        let base = "use a::A;\nuse b::B;\n";
        let mine = "use a::A;\n// Mine.\nuse b::{B, C};\n";
        assert_eq!(united([base, mine, "use a::A2;\nuse b::B;\n"]), None);
        assert_eq!(united([base, base, "use a::A2;\nuse b::B;\n"]), None);
    }
}
