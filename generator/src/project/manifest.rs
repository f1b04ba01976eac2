//! Merges `Cargo.toml` by its structure: additions of the owner stay, changes of etlgen are applied.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::merge::{Merged, Side, merge};

/// Merges three manifests; `None`: one of them is not valid TOML.
pub fn manifest(base: &str, mine: &str, theirs: &str, side: Option<Side>) -> Option<Merged> {
    let read = |text: &str| text.parse::<DocumentMut>().ok();
    let (b, m, t) = (read(base)?, read(mine)?, read(theirs)?);
    let merged = |side: Side| {
        let mut out = m.clone();
        let mut conflicts = 0;
        tables(
            b.as_table(),
            out.as_table_mut(),
            t.as_table(),
            side,
            &mut conflicts,
        );
        (out.to_string(), conflicts)
    };
    let (mine, conflicts) = merged(side.unwrap_or(Side::Mine));
    if conflicts == 0 || side.is_some() {
        return Some(Merged::clean(mine));
    }
    // Both texts contain what both sides agree on: the lines that differ are the conflicts.
    let (theirs, _) = merged(Side::Theirs);
    Some(merge(&agreed(&mine, &theirs), &mine, &theirs, None))
}

/// Returns the lines that two texts have in common.
fn agreed(mine: &str, theirs: &str) -> String {
    let diff = similar::TextDiff::from_lines(mine, theirs);
    let same = diff.iter_all_changes();
    let same = same.filter(|change| change.tag() == similar::ChangeTag::Equal);
    same.map(|change| change.value().to_owned()).collect()
}

fn tables(
    base: &dyn TableLike,
    mine: &mut dyn TableLike,
    theirs: &dyn TableLike,
    side: Side,
    conflicts: &mut usize,
) {
    let keys = |table: &dyn TableLike| -> Vec<String> {
        table.iter().map(|(key, _)| key.to_owned()).collect()
    };
    for key in keys(base) {
        if theirs.get(&key).is_some() {
            continue;
        }
        let before = base.get(&key);
        match (mine.get_mut(&key), before) {
            (Some(mine), Some(before)) if !same(mine, before) => {
                // A setting that etlgen no longer writes is removed; a setting of the owner stays.
                if let (Some(mine), Some(before)) =
                    (mine.as_table_like_mut(), before.as_table_like())
                {
                    tables(before, mine, &Table::new(), side, conflicts);
                }
            }
            (Some(_), _) => _ = mine.remove(&key),
            (None, _) => {}
        }
    }
    for key in keys(theirs) {
        let Some(now) = theirs.get(&key) else {
            continue;
        };
        let before = base.get(&key);
        if before.is_some_and(|before| same(before, now)) {
            continue;
        }
        let Some(own) = mine.get_mut(&key) else {
            // An entry that the owner removed stays removed.
            if before.is_none() || side == Side::Theirs {
                mine.insert(&key, now.clone());
            }
            continue;
        };
        if same(own, now) {
            continue;
        }
        let (long_now, long_before) = (table_of(now), before.and_then(table_of));
        let says_more = own.is_table_like() || now.is_table_like();
        if says_more && table_of(own).is_some() && long_now.is_some() {
            lengthen(own);
            if let (Some(own), Some(now)) = (own.as_table_like_mut(), long_now) {
                let before = long_before.unwrap_or_default();
                tables(&before, own, &now, side, conflicts);
            }
            continue;
        }
        if let (Some(own), Some(now)) = (own.as_array_mut(), now.as_array()) {
            lists(before.and_then(Item::as_array), own, now);
            continue;
        }
        let untouched = before.is_some_and(|before| same(before, own));
        *conflicts += usize::from(!untouched);
        if untouched || side == Side::Theirs {
            replace(own, now);
        }
    }
}

/// Puts a new value in the place of the old one and keeps its comments.
fn replace(old: &mut Item, new: &Item) {
    match (old.as_value_mut(), new.as_value()) {
        (Some(old), Some(new)) => {
            let decor = old.decor().clone();
            *old = new.clone();
            *old.decor_mut() = decor;
        }
        _ => *old = new.clone(),
    }
}

/// Returns a dependency as a table; a bare version becomes a table with a version.
fn table_of(item: &Item) -> Option<InlineTable> {
    if let Some(table) = item.as_table_like() {
        let mut out = InlineTable::new();
        for (key, item) in table.iter() {
            out.insert(key, item.clone().into_value().ok()?);
        }
        return Some(out);
    }
    let text = item.as_str()?;
    let is_version = text.starts_with(|c: char| c.is_ascii_digit() || "=^~*<>".contains(c));
    is_version.then(|| InlineTable::from_iter([("version", text)]))
}

/// Rewrites `x = "1"` to `x = { version = "1" }`.
fn lengthen(item: &mut Item) {
    if item.as_str().is_some()
        && let Some(table) = table_of(item)
    {
        replace(item, &Item::Value(Value::InlineTable(table)));
    }
}

/// Merges lists as sets: additions and removals of both sides are applied.
fn lists(base: Option<&Array>, mine: &mut Array, theirs: &Array) {
    let has = |list: &Array, value: &Value| list.iter().any(|known| plain(known) == plain(value));
    for value in theirs.iter() {
        if !has(mine, value) && !base.is_some_and(|base| has(base, value)) {
            mine.push(value.clone());
        }
    }
    let gone = |value: &Value| base.is_some_and(|base| has(base, value)) && !has(theirs, value);
    mine.retain(|value| !gone(value));
}

/// Returns whether two items have the same value in any notation.
fn same(a: &Item, b: &Item) -> bool {
    if a.is_str() && b.is_str() {
        return a.as_str() == b.as_str();
    }
    match (table_of(a), table_of(b)) {
        (Some(a), Some(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| {
                    let b = b.get(key);
                    b.is_some_and(|b| same(&Item::Value(a.clone()), &Item::Value(b.clone())))
                })
        }
        (None, None) => match (a.as_array(), b.as_array()) {
            (Some(a), Some(b)) => a.iter().map(plain).eq(b.iter().map(plain)),
            _ => match (a.as_value(), b.as_value()) {
                (Some(a), Some(b)) => plain(a) == plain(b),
                _ => a.is_none() && b.is_none(),
            },
        },
        _ => false,
    }
}

/// Returns a value without spaces, comments and quoting styles.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.value()),
        other => {
            let mut other = other.clone();
            other.decor_mut().clear();
            other.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "[package]\nname = \"a\"\nexclude = [\".etlgen/base\"]\n\n[dependencies]\netlgen-runtime = \"0.1.0\"\nold = \"1\"\n";

    #[test]
    fn what_the_owner_added_stays_and_ours_follow() {
        let mine = BASE.replace(
            "etlgen-runtime = \"0.1.0\"\n",
            "# fast\netlgen-runtime = { version = \"0.1.0\", features = [\"postgres\"] } # mine\nregex = \"1\"\n",
        );
        let mine = mine.replace("base\"]", "base\", \"data\"]") + "\n[features]\nextra = []\n";
        let theirs = BASE
            .replace("0.1.0", "0.2.0")
            .replace("base\"]", "base\", \"tests\"]")
            .replace("old = \"1\"\n", "new = { version = \"2\" }\n");
        let merged = manifest(BASE, &mine, &theirs, None).unwrap();
        let text = "[package]
name = \"a\"
exclude = [\".etlgen/base\", \"data\", \"tests\"]

[dependencies]
# fast
etlgen-runtime = { version = \"0.2.0\", features = [\"postgres\"] } # mine
regex = \"1\"
new = { version = \"2\" }

[features]
extra = []
";
        assert_eq!(merged.text, text);
        assert_eq!(merged.conflicts, [0; 0]);
    }

    #[test]
    fn comments_of_the_owner_stay() {
        let mine = BASE.replace("name = ", "# Mine.\nname = ");
        let theirs = BASE.replace("\"a\"", "\"b\"");
        let merged = manifest(BASE, &mine, &theirs, None).unwrap();
        assert_eq!(merged.text, mine.replace("\"a\"", "\"b\""));
    }

    #[test]
    fn a_value_that_both_changed_is_a_conflict_of_one_line() {
        let mine = BASE.replace("0.1.0", "0.1.7");
        let theirs = BASE.replace("0.1.0", "0.2.0");
        let merged = manifest(BASE, &mine, &theirs, None).unwrap();
        assert_eq!(merged.conflicts, [6]);
        assert!(
            merged
                .text
                .contains("<<<<<<< mine\netlgen-runtime = \"0.1.7\"\n|||||||")
        );
        let taken = manifest(BASE, &mine, &theirs, Some(Side::Theirs)).unwrap();
        assert_eq!(taken.text, theirs);
    }

    #[test]
    fn what_the_owner_took_out_stays_out() {
        let mine = BASE.replace("old = \"1\"\n", "");
        let theirs = BASE.replace("old = \"1\"", "old = \"2\"");
        let merged = manifest(BASE, &mine, &theirs, None).unwrap();
        assert_eq!(merged, Merged::clean(mine));
    }
}
