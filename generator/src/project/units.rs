//! Merges lists of independent units, such as the fields of a struct, modules, the calls that declare a resource,
//! items, or the rows of a table: if both sides changed neighbours, each unit is merged separately, and so are its
//! comment, its attributes and its declaration.

/// One unit of a list.
#[derive(Clone)]
struct Unit {
    /// The key that identifies it; [`OPEN`]: its declaration follows behind the lines.
    key: String,
    /// Empty lines before it.
    gap: String,
    comment: String,
    attributes: String,
    declaration: String,
}

/// The key of a unit without its declaration.
const OPEN: &str = "(open)";

impl Unit {
    fn text(&self) -> String {
        [self.comment.as_str(), &self.attributes, &self.declaration].concat()
    }

    /// Returns whether two units differ in their comments at most.
    fn is_same_code(&self, other: &Unit) -> bool {
        self.attributes == other.attributes && self.declaration == other.declaration
    }
}

/// The units of some lines, and the empty lines after the last one.
type Units = (Vec<Unit>, String);

/// Returns the merged list; `None`: both sides changed the same part of a unit, or the lines are not
/// a list.
pub fn resolve(base: &[&str], mine: &[&str], theirs: &[&str]) -> Option<String> {
    let (base, mine, theirs) = (units(base)?, units(mine)?, units(theirs)?);
    let partners = partners(&base.0, &mine.0);
    let mut out: Vec<Unit> = Vec::new();
    for (unit, partner) in mine.0.iter().zip(&partners) {
        let before = partner.and_then(|at| base.0.get(at));
        let is_renamed = before.is_some_and(|before| before.key != unit.key);
        let now = find(&theirs.0, before.map_or(&unit.key, |before| &before.key));
        match (before, now) {
            (None, None) => out.push(unit.clone()),
            (None, Some(now)) if now.text() == unit.text() => out.push(unit.clone()),
            (Some(before), Some(now)) => out.push(merged(before, unit, now)?),
            // What the owner put in the place of a unit that is gone stays.
            (Some(_), None) if is_renamed => out.push(unit.clone()),
            (Some(before), None) if before.text() == unit.text() => {}
            _ => return None,
        }
    }
    for (at, unit) in theirs.0.iter().enumerate() {
        let before = base.0.iter().position(|before| before.key == unit.key);
        let is_kept = match before {
            Some(before) => partners.contains(&Some(before)),
            None => find(&mine.0, &unit.key).is_some(),
        };
        match before.and_then(|at| base.0.get(at)) {
            _ if is_kept => {}
            // A comment of what the owner removed is of no use.
            Some(before) if before.is_same_code(unit) => {}
            Some(_) => return None,
            None => {
                let place = |key: &str| out.iter().position(|unit| unit.key == key);
                let before = theirs.0[..at].iter().rev();
                let before = before.filter_map(|unit| place(&unit.key)).next();
                out.insert(before.map_or(0, |at| at + 1), unit.clone());
            }
        }
    }
    let open = out.iter().position(|unit| unit.key == OPEN);
    if open.is_some_and(|at| at + 1 < out.len()) {
        return None;
    }
    let units = out.iter().map(|unit| unit.gap.clone() + &unit.text());
    Some(units.collect::<String>() + &mine.1)
}

/// Returns a unit with the changes of both sides; `None`: both changed the same part.
fn merged(before: &Unit, mine: &Unit, theirs: &Unit) -> Option<Unit> {
    let part = |of: fn(&Unit) -> &String| match (of(before), of(mine), of(theirs)) {
        (before, mine, theirs) if mine == before => Some(theirs.clone()),
        (before, mine, theirs) if theirs == before || theirs == mine => Some(mine.clone()),
        _ => None,
    };
    let attributes = part(|unit| &unit.attributes);
    Some(Unit {
        key: mine.key.clone(),
        gap: mine.gap.clone(),
        comment: part(|unit| &unit.comment)?,
        attributes: match attributes {
            Some(attributes) => attributes,
            None => united(&before.attributes, &mine.attributes, &theirs.attributes)?,
        },
        declaration: part(|unit| &unit.declaration)?,
    })
}

/// Returns the attributes of both sides; `None`: both changed the same one.
fn united(before: &str, mine: &str, theirs: &str) -> Option<String> {
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect();
    let (before, mine, theirs): (Vec<String>, Vec<String>, Vec<String>) =
        (lines(before), lines(mine), lines(theirs));
    let removed = |side: &[String]| -> Vec<String> {
        let gone = before.iter().filter(|line| !side.contains(line));
        gone.cloned().collect()
    };
    let (by_mine, by_theirs) = (removed(&mine), removed(&theirs));
    if by_mine.iter().any(|line| by_theirs.contains(line)) {
        return None;
    }
    let mut out: Vec<String> = mine
        .iter()
        .filter(|line| !by_theirs.contains(line))
        .cloned()
        .collect();
    let added = theirs
        .iter()
        .filter(|line| !before.contains(line) && !mine.contains(line));
    out.extend(added.cloned());
    Some(out.concat())
}

/// Returns the unit of the base that each unit of a side stands for: the one with its key, the one
/// whose key in JSON its attribute names, or the one in whose place it is.
fn partners(base: &[Unit], side: &[Unit]) -> Vec<Option<usize>> {
    let at = |key: &str| base.iter().position(|unit| unit.key == key);
    let mut found: Vec<Option<usize>> = side.iter().map(|unit| at(&unit.key)).collect();
    for (unit, slot) in side.iter().zip(&mut found) {
        let named = unit.attributes.split("key = \"").nth(1);
        let named = named.and_then(|rest| Some(rest.split_once('"')?.0));
        if let (None, Some(named)) = (&slot, named) {
            let key = format!("field {named}");
            *slot = at(&key).filter(|_| find(side, &key).is_none());
        }
    }
    // Between two units that both have, as many are new as are gone: they are renamed.
    let mut from = 0;
    while from < side.len() {
        let run = found
            .iter()
            .skip(from)
            .take_while(|slot| slot.is_none())
            .count();
        let before = from
            .checked_sub(1)
            .and_then(|at| found.get(at).copied().flatten());
        let first = before.map_or(0, |at| at + 1);
        let next = found.get(from + run).copied().flatten();
        let gone = first..next.unwrap_or(base.len());
        let fits = run > 0 && (before.is_some() || from == 0) && gone.len() == run;
        if fits && !gone.clone().any(|at| found.contains(&Some(at))) {
            for (at, slot) in gone.zip(found.iter_mut().skip(from)) {
                let kind = |unit: Option<&Unit>| {
                    unit.map(|unit| unit.key.split(' ').next().unwrap_or_default().to_owned())
                };
                let is_kind = kind(base.get(at)).is_some_and(|kind| kind == "field");
                *slot = Some(at).filter(|_| is_kind);
            }
        }
        from += run.max(1);
    }
    found
}

fn find<'a>(units: &'a [Unit], key: &str) -> Option<&'a Unit> {
    units.iter().find(|unit| unit.key == key)
}

/// Returns the units of these lines; `None`: they are not a list.
fn units(lines: &[&str]) -> Option<Units> {
    let mut units: Vec<Unit> = Vec::new();
    let empty = Unit {
        key: String::new(),
        gap: String::new(),
        comment: String::new(),
        attributes: String::new(),
        declaration: String::new(),
    };
    let mut unit = empty.clone();
    let mut depth = 0;
    for line in lines {
        let trimmed = line.trim();
        if trimmed.is_empty() && unit.text().is_empty() {
            unit.gap.push_str(line);
            continue;
        }
        if depth == 0 && unit.key.is_empty() {
            if trimmed.starts_with("//") && unit.attributes.is_empty() {
                unit.comment.push_str(line);
                continue;
            }
            if trimmed.starts_with("//") || trimmed.starts_with("#[") {
                if trimmed.starts_with("#[") && balance(trimmed) != 0 {
                    return None;
                }
                unit.attributes.push_str(line);
                continue;
            }
            unit.key = key_of(trimmed)?;
        }
        unit.declaration.push_str(line);
        depth += balance(trimmed);
        if depth < 0 {
            return None;
        }
        if depth == 0 && trimmed.ends_with([',', ';', ')', '}', '|']) {
            if find(&units, &unit.key).is_some() {
                return None;
            }
            units.push(std::mem::replace(&mut unit, empty.clone()));
        }
    }
    if !unit.declaration.is_empty() {
        return None;
    }
    if !unit.text().is_empty() {
        unit.key = OPEN.to_owned();
        units.push(std::mem::replace(&mut unit, empty));
    }
    Some((units, unit.gap))
}

/// Returns the key of a unit, from its first line; `None`: the line does not start a known unit.
fn key_of(line: &str) -> Option<String> {
    if let Some(call) = line.strip_prefix('.') {
        let (name, arguments) = call.split_once('(')?;
        return Some(match name {
            "resource" | "query" | "header" | "path_param" | "param" => {
                let end = arguments.find(['(', ',', ')']).unwrap_or(arguments.len());
                format!(".{name} {}", &arguments[..end])
            }
            name => format!(".{name}"),
        });
    }
    if let Some(row) = line.strip_prefix('|') {
        let (cell, _) = row.split_once('|')?;
        return Some(format!("| {}", cell.trim()));
    }
    let bare = line.strip_prefix("pub(crate) ").unwrap_or(line);
    let bare = bare.strip_prefix("pub ").unwrap_or(bare);
    let word = bare.split_whitespace().next()?;
    match word {
        "use" => return Some(bare.to_owned()),
        "mod" | "fn" | "struct" | "enum" | "const" | "static" | "type" | "trait" => {
            let name = bare[word.len()..].trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '#');
            return Some(format!("{word} {}", &name[..end.unwrap_or(name.len())]));
        }
        "impl" => return Some(bare.to_owned()),
        _ => {}
    }
    let (name, ty) = bare.split_once(':')?;
    let named = name
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '#');
    (named && !name.is_empty() && ty.starts_with(' ')).then(|| format!("field {name}"))
}

/// Returns the number of opening brackets minus closing ones, ignoring strings and comments.
fn balance(line: &str) -> i32 {
    let mut depth = 0;
    let mut letters = line.chars().peekable();
    let mut string = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if string => _ = letters.next(),
            '"' => string = !string,
            _ if string => {}
            '/' if letters.peek() == Some(&'/') => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn calls_and_modules_are_merged_each_for_itself() {
        let base = [".records(\"data\")\n"];
        let mine = [".records(\"data\")\n", ".map(|c| {\n", "    c\n", "})\n"];
        let theirs = [".records(\"items\")\n", ".total(\"n\")\n"];
        let text = ".records(\"items\")\n.total(\"n\")\n.map(|c| {\n    c\n})\n";
        assert_eq!(resolve(&base, &mine, &theirs).as_deref(), Some(text));
        let text = "mod theirs;\nmod mine;\n";
        assert_eq!(
            resolve(&[], &["mod mine;\n"], &["mod theirs;\n"]).as_deref(),
            Some(text)
        );
    }

    #[test]
    fn comment_attributes_and_declaration_are_merged_each_for_itself() {
        let lines = |text: &'static str| Vec::from_iter(text.split_inclusive('\n'));
        let field = "/// Old.\na: u8,\n";
        for (base, mine, theirs, text) in [
            // The owner renames, retypes, deletes or documents a field.
            (
                field,
                "/// Old.\nb: u8,\n",
                "/// New.\na: u8,\n",
                "/// New.\nb: u8,\n",
            ),
            (
                field,
                "/// Old.\n#[record(key = \"a\")]\nb: u8,\n",
                "/// New.\na: u16,\n",
                "",
            ),
            (
                field,
                "/// Old.\na: u16,\n",
                "/// New.\na: u8,\n",
                "/// New.\na: u16,\n",
            ),
            (field, "", "/// New.\na: u8,\n", "(gone)"),
            (
                field,
                "/// Mine.\na: u8,\n",
                "/// Old.\na: u16,\n",
                "/// Mine.\na: u16,\n",
            ),
            (field, "/// Mine.\na: u8,\n", "/// New.\na: u8,\n", ""),
            // The line with the declaration may be the same in all.
            (
                "/// Old.\n#[derive(Record)]\n",
                "/// Old.\n#[derive(Record, Clone)]\n",
                "/// New.\n#[derive(Record)]\n",
                "/// New.\n#[derive(Record, Clone)]\n",
            ),
            (
                "#[derive(Record)]\n",
                "#[derive(Record)]\n#[allow(dead_code)]\n",
                "#[derive(Record)]\n#[record(rename_all = \"camelCase\")]\n",
                "#[derive(Record)]\n#[allow(dead_code)]\n#[record(rename_all = \"camelCase\")]\n",
            ),
            // A field in the place of one that is gone stays.
            ("a: u8,\n", "mine: u8,\n", "", "mine: u8,\n"),
        ] {
            let merged = resolve(&lines(base), &lines(mine), &lines(theirs));
            let expected = match text {
                "" => None,
                "(gone)" => Some(""),
                text => Some(text),
            };
            assert_eq!(merged.as_deref(), expected, "{mine} | {theirs}");
        }
    }

    #[test]
    fn what_both_changed_or_nobody_knows_is_left_open() {
        for (base, mine, theirs) in [
            ("a: u8,\n", "a: u16,\n", "a: u32,\n"),
            ("", "a: u16,\n", "a: u32,\n"),
            ("a: u8,\n", "", "a: u32,\n"),
            ("", "let a = 1;\n", "let b = 2;\n"),
            ("", ".map(|c| {\n", ".total(\"n\")\n"),
        ] {
            let lines =
                |text| Vec::from_iter([text].into_iter().filter(|text: &&str| !text.is_empty()));
            let (base, mine, theirs) = (lines(base), lines(mine), lines(theirs));
            assert_eq!(resolve(&base, &mine, &theirs), None, "{mine:?}");
        }
    }
}
