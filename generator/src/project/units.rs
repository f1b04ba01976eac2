//! Merges lists of independent units, such as the fields of a struct, modules, the calls that declare a resource,
//! items, or the rows of a table: if both sides changed neighbours, each unit is merged separately.

/// One unit of a list.
struct Unit {
    /// The key that identifies it.
    key: String,
    /// Empty lines before it.
    gap: String,
    text: String,
}

/// Returns the merged list; `None`: both sides changed the same unit, or the lines are not a list.
pub fn resolve(base: &[&str], mine: &[&str], theirs: &[&str]) -> Option<String> {
    let (base, mine, theirs) = (units(base)?, units(mine)?, units(theirs)?);
    let mut out: Vec<&Unit> = Vec::new();
    for unit in &mine.0 {
        let before = find(&base.0, &unit.key);
        let now = find(&theirs.0, &unit.key);
        match (before, now) {
            (None, None) => out.push(unit),
            (_, Some(now)) if now.text == unit.text => out.push(unit),
            (Some(before), Some(now)) if before.text == unit.text => out.push(now),
            (Some(before), Some(now)) if before.text == now.text => out.push(unit),
            (Some(before), None) if before.text == unit.text => {}
            _ => return None,
        }
    }
    for (at, unit) in theirs.0.iter().enumerate() {
        if find(&mine.0, &unit.key).is_some() {
            continue;
        }
        match find(&base.0, &unit.key) {
            Some(before) if before.text == unit.text => {}
            Some(_) => return None,
            None => {
                let place = |key: &str| out.iter().position(|unit| unit.key == key);
                let before = theirs.0[..at].iter().rev();
                let before = before.filter_map(|unit| place(&unit.key)).next();
                out.insert(before.map_or(0, |at| at + 1), unit);
            }
        }
    }
    let units = out
        .iter()
        .map(|unit| unit.gap.as_str().to_owned() + &unit.text);
    Some(units.collect::<String>() + &mine.1)
}

fn find<'a>(units: &'a [Unit], key: &str) -> Option<&'a Unit> {
    units.iter().find(|unit| unit.key == key)
}

/// Returns the units of these lines, and the empty lines after the last one.
fn units(lines: &[&str]) -> Option<(Vec<Unit>, String)> {
    let mut units: Vec<Unit> = Vec::new();
    let (mut gap, mut text, mut key) = (String::new(), String::new(), None);
    let mut depth = 0;
    for line in lines {
        let trimmed = line.trim();
        if trimmed.is_empty() && text.is_empty() {
            gap.push_str(line);
            continue;
        }
        text.push_str(line);
        let leads = trimmed.starts_with("//") || trimmed.starts_with("#[");
        if depth == 0 && key.is_none() && leads {
            if trimmed.starts_with("#[") && balance(trimmed) != 0 {
                return None;
            }
            continue;
        }
        if key.is_none() {
            key = Some(key_of(trimmed)?);
        }
        depth += balance(trimmed);
        if depth < 0 {
            return None;
        }
        if depth == 0 && trimmed.ends_with([',', ';', ')', '}', '|']) {
            let key = key.take()?;
            if find(&units, &key).is_some() {
                return None;
            }
            units.push(Unit {
                key,
                gap: std::mem::take(&mut gap),
                text: std::mem::take(&mut text),
            });
        }
    }
    text.is_empty().then_some((units, gap))
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
