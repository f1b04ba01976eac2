//! Merges three versions of a text: as generated before, as its owner has it, as generated now.

use similar::{MergeResolution, TextMerge};

use super::units;

/// The labels of the conflict markers: the sides as `--accept` names them.
const MINE: &str = "mine";
const BASE: &str = "as generated before";
const THEIRS: &str = "theirs (as generated now)";
/// The labels of earlier releases.
const OLD_MINE: &str = "yours";
const OLD_THEIRS: &str = "as generated now";

/// The side whose lines win if both changed the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The owner's.
    Mine,
    /// Those generated now.
    Theirs,
}

/// A merged text, with markers at conflicts.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    pub text: String,
    /// The lines, from 1, at which conflicts begin.
    pub conflicts: Vec<usize>,
}

impl Merged {
    /// Creates a merged text without conflicts.
    pub fn clean(text: String) -> Self {
        let conflicts = Vec::new();
        Merged { text, conflicts }
    }
}

/// Merges line by line; `side` settles conflicts.
pub fn merge(base: &str, mine: &str, theirs: &str, side: Option<Side>) -> Merged {
    let (base, mine, theirs) = (ended(base), ended(mine), ended(theirs));
    let (b, m, t) = (lines(&base), lines(&mine), lines(&theirs));
    let mut out = Writer::default();
    for region in TextMerge::from_lines(base.as_str(), mine.as_str(), theirs.as_str()).regions() {
        let mine = &m[region.ours_range()];
        let theirs = &t[region.theirs_range()];
        match region.resolution() {
            MergeResolution::Theirs => out.lines(theirs),
            MergeResolution::Conflict => {
                let base = &b[region.base_range()];
                let both = units::resolve(base, mine, theirs);
                match (both.or_else(|| beside(base, mine, theirs)), side) {
                    (Some(text), _) => out.lines(&[&text]),
                    (None, Some(Side::Mine)) => out.lines(mine),
                    (None, Some(Side::Theirs)) => out.lines(theirs),
                    (None, None) => out.conflict(base, mine, theirs),
                }
            }
            _ => out.lines(mine),
        }
    }
    out.merged()
}

/// Takes both changes if one side only added lines before or after those that the other changed.
fn beside(base: &[&str], mine: &[&str], theirs: &[&str]) -> Option<String> {
    if base.is_empty() || mine.is_empty() || theirs.is_empty() {
        return None;
    }
    let around = |adds: &[&str], changes: &[&str]| {
        let (before, after) = match (adds.strip_prefix(base), adds.strip_suffix(base)) {
            (Some(after), _) => (&[][..], after),
            (_, Some(before)) => (before, &[][..]),
            _ => return None,
        };
        Some([before, changes, after].concat().concat())
    };
    around(mine, theirs).or_else(|| around(theirs, mine))
}

/// Marks one conflict from the first different line to the last, for texts that cannot be merged by
/// lines.
pub fn whole(base: &str, mine: &str, theirs: &str, side: Option<Side>) -> Merged {
    match side {
        Some(Side::Mine) => return Merged::clean(mine.to_owned()),
        Some(Side::Theirs) => return Merged::clean(theirs.to_owned()),
        None => {}
    }
    let (base, mine, theirs) = (ended(base), ended(mine), ended(theirs));
    let (b, m, t) = (lines(&base), lines(&mine), lines(&theirs));
    let shortest = b.len().min(m.len()).min(t.len());
    let same = |at: &usize| m[*at] == b[*at] && m[*at] == t[*at];
    let before = (0..shortest).take_while(same).count();
    let same = |at: &usize| {
        let end = |lines: &[&str]| lines[lines.len() - 1 - at].to_owned();
        end(&m) == end(&b) && end(&m) == end(&t)
    };
    let after = (0..shortest - before).take_while(same).count();
    let inner = |lines: &[&str]| before..lines.len() - after;
    let mut out = Writer::default();
    out.lines(&m[..before]);
    out.conflict(&b[inner(&b)], &m[inner(&m)], &t[inner(&t)]);
    out.lines(&m[m.len() - after..]);
    out.merged()
}

/// Returns the lines, from 1, at which conflicts begin, marked by etlgen or by git.
pub fn markers(text: &str) -> Vec<usize> {
    let is_marker = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    let found: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| is_marker(line))
        .collect();
    let begins = found.iter().filter(|(_, line)| line.starts_with('<'));
    let begins: Vec<usize> = begins.map(|(at, _)| at + 1).collect();
    match begins.is_empty() {
        // An end marker without a start is a leftover.
        true => found.iter().map(|(at, _)| at + 1).collect(),
        false => begins,
    }
}

/// Takes one side of each conflict that `merge` marked.
pub fn settle(text: &str, side: Side) -> String {
    let mut out = String::new();
    let mut within = None;
    for line in text.split_inclusive('\n') {
        let mark = line.trim_end();
        let is = |arrows: &str, labels: [&str; 2]| {
            let label = mark.strip_prefix(arrows);
            label.is_some_and(|label| labels.contains(&label))
        };
        within = match (within, mark) {
            (None, _) if is("<<<<<<< ", [MINE, OLD_MINE]) => Some(Some(Side::Mine)),
            (Some(_), _) if is("||||||| ", [BASE, BASE]) => Some(None),
            (Some(_), "=======") => Some(Some(Side::Theirs)),
            (Some(_), _) if is(">>>>>>> ", [THEIRS, OLD_THEIRS]) => None,
            (None, _) => {
                out.push_str(line);
                None
            }
            (Some(part), _) => {
                if part == Some(side) {
                    out.push_str(line);
                }
                Some(part)
            }
        };
    }
    out
}

fn ended(text: &str) -> String {
    let mut text = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[derive(Default)]
struct Writer {
    text: String,
    conflicts: Vec<usize>,
}

impl Writer {
    fn lines(&mut self, lines: &[&str]) {
        lines.iter().for_each(|line| self.text.push_str(line));
    }

    fn conflict(&mut self, base: &[&str], mine: &[&str], theirs: &[&str]) {
        self.conflicts.push(self.text.matches('\n').count() + 1);
        self.text.push_str(&format!("<<<<<<< {MINE}\n"));
        self.lines(mine);
        self.text.push_str(&format!("||||||| {BASE}\n"));
        self.lines(base);
        self.text.push_str("=======\n");
        self.lines(theirs);
        self.text.push_str(&format!(">>>>>>> {THEIRS}\n"));
    }

    fn merged(self) -> Merged {
        Merged {
            text: self.text,
            conflicts: self.conflicts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "struct A {\n    a: u8,\n    b: u8,\n}\n";

    fn with(line: &str) -> String {
        BASE.replace("    b: u8,\n", &format!("    b: u8,\n    {line},\n"))
    }

    #[test]
    fn fields_added_side_by_side_both_stay() {
        let merged = merge(BASE, &with("mine: u8"), &with("theirs: u8"), None);
        let text = "struct A {\n    a: u8,\n    b: u8,\n    theirs: u8,\n    mine: u8,\n}\n";
        assert_eq!(merged, Merged::clean(text.to_owned()));
    }

    #[test]
    fn a_line_that_both_changed_is_a_conflict_until_a_side_is_taken() {
        let mine = BASE.replace("a: u8", "a: u16");
        let theirs = BASE.replace("a: u8", "a: u32");
        let merged = merge(BASE, &mine, &theirs, None);
        assert_eq!(merged.conflicts, [2]);
        assert_eq!(markers(&merged.text), [2]);
        assert_eq!(settle(&merged.text, Side::Mine), mine);
        assert_eq!(settle(&merged.text, Side::Theirs), theirs);
        let taken = merge(BASE, &mine, &theirs, Some(Side::Theirs));
        assert_eq!(taken, Merged::clean(theirs));
    }

    #[test]
    fn lines_added_beside_changed_ones_stay() {
        let (base, mine, theirs) = ("let a = 1;\n", "let a = 1;\n// Mine.\n", "let a = 2;\n");
        let text = "let a = 2;\n// Mine.\n".to_owned();
        assert_eq!(merge(base, mine, theirs, None), Merged::clean(text));
        // Lines added next to removed ones conflict.
        assert_eq!(merge(base, mine, "", None).conflicts, [1]);
    }

    #[test]
    fn a_whole_conflict_spares_what_is_the_same() {
        let (mine, theirs) = (with("mine: u8"), with("theirs: u8"));
        let merged = whole(BASE, &mine, &theirs, None);
        assert_eq!(merged.conflicts, [4]);
        assert_eq!(settle(&merged.text, Side::Mine), mine);
        assert_eq!(settle(&merged.text, Side::Theirs), theirs);
        // Crates may have conflicts that an earlier release marked.
        let old = merged.text.replace("<<<<<<< mine", "<<<<<<< yours");
        let old = old.replace(THEIRS, OLD_THEIRS);
        assert_eq!(settle(&old, Side::Mine), mine);
        assert_eq!(settle(&old, Side::Theirs), theirs);
        let merged = whole("", "a", "", None);
        assert_eq!(settle(&merged.text, Side::Mine), "a\n");
    }
}
