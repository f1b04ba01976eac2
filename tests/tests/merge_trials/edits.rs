//! Random edits of an owner.

use etlgen_tests::owned::Owned;

use crate::chance::Chance;

/// Edits a file of the crate, or one next to it; returns `None` if the chosen edit does not apply.
pub fn edit(made: &Owned, file: &str, chance: &mut Chance) -> Option<&'static str> {
    let text = made.has(file).then(|| made.read(file))?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let number = chance.below(1000);
    let fields: Vec<usize> = (0..lines.len())
        .filter(|at| is_field(&lines[*at]))
        .collect();
    let save = |lines: &[String]| made.write(file, &(lines.join("\n") + "\n"));
    let kind = match chance.below(13) {
        0 => {
            let at = *chance.of(&fields)?;
            lines.insert(at + 1, format!("    pub mine_{number}: Option<String>,"));
            save(&lines);
            "adds a field"
        }
        1 => {
            let at = *chance.of(&fields)?;
            let is_doc = |at: &usize| lines[*at].trim().starts_with("///");
            let first = at - (0..at).rev().take_while(is_doc).count();
            lines.drain(first..=at);
            save(&lines);
            "removes a field"
        }
        2 => {
            let at = *chance.of(&fields)?;
            lines[at] = lines[at]
                .replacen("    pub ", &format!("    pub mine_{number}_"), 1)
                .replace("_r#", "_");
            save(&lines);
            "renames a field"
        }
        3 => {
            let at = *chance.of(&fields)?;
            let (name, _) = lines[at].split_once(':')?;
            lines[at] = format!("{name}: Option<Dynamic>, // mine {number}");
            save(&lines);
            "retypes a field"
        }
        4 => {
            let places = (0..lines.len()).filter(|at| {
                let line = lines[*at].trim();
                line.starts_with("pub ") || line.starts_with('.') || line.starts_with("///")
            });
            let places: Vec<usize> = places.collect();
            let at = *chance.of(&places)?;
            lines.insert(at, format!("// mine {number}"));
            save(&lines);
            "adds a comment"
        }
        5 => {
            let at = lines
                .iter()
                .position(|line| line.starts_with("    Resource::"))?;
            let call = lines[at].trim_end().ends_with(')');
            if !call {
                return None;
            }
            lines.insert(at + 1, format!("        .filter(|_| {number} > 0)"));
            save(&lines);
            "adds a closure"
        }
        6 => {
            let pairs: Vec<usize> = fields
                .windows(2)
                .filter(|pair| pair[0] + 1 == pair[1])
                .map(|pair| pair[0])
                .collect();
            let at = *chance.of(&pairs)?;
            lines.swap(at, at + 1);
            save(&lines);
            "swaps two fields"
        }
        7 => {
            let name = file.strip_prefix("src/resources/")?.strip_suffix(".rs")?;
            let wishes = made.read("etlgen.toml");
            if name == "mod"
                || !made
                    .read(".etlgen/lock.json")
                    .contains(&format!("\"{name}\""))
                || wishes.contains(&format!("[resources.{name}]"))
            {
                return None;
            }
            made.write(
                "etlgen.toml",
                &format!("{wishes}\n[resources.{name}]\nname = \"mine_{number}\"\n"),
            );
            "renames a resource"
        }
        8 => {
            made.remove(file);
            "deletes a file"
        }
        9 => {
            let starts: Vec<usize> = (0..lines.len())
                .filter(|at| lines[*at].starts_with("pub struct ") && lines[*at].ends_with('{'))
                .collect();
            let at = *starts.last()?;
            let end = (at..lines.len()).find(|at| lines[*at] == "}")?;
            let first = (0..at).rev().find(|at| lines[*at].is_empty())? + 1;
            let name = lines[at]
                .strip_prefix("pub struct ")?
                .trim_end_matches(" {")
                .to_owned();
            let own: Vec<String> = lines.drain(first..=end).collect();
            lines.insert(first, format!("pub use crate::own_{number}::{name};"));
            save(&lines);
            let from = match file.starts_with("src/types/") {
                true => "use crate::types::*;",
                false => "use crate::resources::*;",
            };
            let own = format!(
                "#![allow(unused_imports)]\n\n{from}\nuse etlgen_runtime::prelude::*;\n\n{}\n",
                own.join("\n")
            );
            made.write(&format!("src/own_{number}.rs"), &own);
            made.edit(
                "src/lib.rs",
                "pub mod config;",
                &format!("pub mod config;\npub mod own_{number};"),
            );
            "moves a struct"
        }
        10 => {
            let text = text.replace("    ", "  ").replace("\n\n", "\n\n\n");
            made.write(file, &text);
            "reformats"
        }
        11 => {
            if made.read("Cargo.toml").contains("serde_json") {
                return None;
            }
            made.edit(
                "Cargo.toml",
                "[dependencies]\n",
                &format!("[dependencies]\n# mine {number}\nserde_json = \"1\"\n"),
            );
            "adds a dependency"
        }
        _ => {
            made.write(
                &format!("src/mine_{number}.rs"),
                &format!("//! Mine.\n\npub const NUMBER: u32 = {number};\n"),
            );
            made.edit(
                "src/lib.rs",
                "pub mod types;",
                &format!("pub mod mine_{number};\npub mod types;"),
            );
            "adds a file"
        }
    };
    Some(kind)
}

fn is_field(line: &str) -> bool {
    line.starts_with("    pub ") && line.contains(": Option<") && line.ends_with(',')
}
