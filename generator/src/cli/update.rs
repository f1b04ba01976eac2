//! `etlgen update`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::existing::{Existing, open};
use super::{Failure, license_texts, out, refuse, say};
use crate::diagnostics::{Kind, printable};
use crate::diff::summary;
use crate::project::{
    Accept, Bump, Conflict, Outcome, Release, Side, Text, Update, apply, dirty, is_pending,
    recover, unsettled, update,
};

#[derive(clap::Args)]
pub struct Arguments {
    /// Where the crate stands
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Another document, for once: a file, a URL, or `-` [default: the `spec` of etlgen.toml]
    #[arg(long)]
    spec: Option<String>,
    /// Says what would be done, and writes nothing
    #[arg(long)]
    dry_run: bool,
    /// Shows each change of a file, too
    #[arg(long)]
    diff: bool,
    /// Leaves CHANGELOG.md as it is [default: the `changelog` of etlgen.toml, else it is written]
    #[arg(long)]
    no_changelog: bool,
    /// Leaves the version in Cargo.toml as it is [default: the `bump` of etlgen.toml, else the next one is written]
    #[arg(long)]
    no_bump: bool,
    /// Settles the conflicts of a file by one side: `mine` or `theirs`; may be repeated
    #[arg(long, num_args = 2, value_names = ["SIDE", "FILE"])]
    accept: Vec<String>,
    /// Writes although git knows of changes that are not committed
    #[arg(long)]
    allow_dirty: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let accept = accept(&arguments.accept)?;
    let folder = &arguments.folder;
    resume(folder, arguments.dry_run)?;
    let crate_ = open(folder)?;
    let mut open_conflicts = unsettled(&crate_.tree)?;
    open_conflicts.retain(|conflict| !accept.contains_key(&conflict.path));
    if !open_conflicts.is_empty() {
        conflicts(&open_conflicts);
        say("settle these first, by hand or with `--accept mine|theirs FILE`; nothing was written");
        return Err(Failure::Conflicts);
    }
    for path in &crate_.tree.misfits {
        say(&format!(
            "warning: .etlgen/base/{}.base is not what the lock says; it is taken for what was generated last",
            printable(path)
        ));
    }
    let document = crate_.document(arguments.spec.as_deref());
    let generation = crate_.generate(&document)?;
    let mut announce = crate_.announce();
    announce.changelog &= !arguments.no_changelog;
    announce.bump &= !arguments.no_bump;
    let (files, lock) = (&generation.files, &generation.lock);
    let planned = update(&crate_.tree, files, lock, &accept, announce)?;
    if document.name != crate_.named() {
        say(&format!(
            "note: etlgen.toml still names {}: the next update reads that again, unless it says\n  spec = {}",
            printable(&crate_.named()),
            crate::diagnostics::toml_string(&document.name)
        ));
    }
    let changes = planned.all(&crate_.tree);
    if changes.is_empty() {
        out("nothing has changed");
        return Ok(());
    }
    if !arguments.dry_run && !arguments.allow_dirty {
        let dirty = dirty(folder)?;
        if !dirty.is_empty() {
            let shown = dirty.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            return Err(refuse(
                Kind::Crate,
                format!(
                    "not committed: {shown}{}",
                    if dirty.len() > 5 { ", …" } else { "" }
                ),
                "commit first, so that an update can be seen and taken back; `--allow-dirty` goes on without; nothing was written",
            ));
        }
    }
    report(&planned, &accept);
    if arguments.diff {
        diff(&crate_, &planned)?;
    }
    if arguments.dry_run {
        out("nothing was written");
    } else {
        apply(folder, &changes)?;
        license_texts(&generation.package, folder);
    }
    if planned.conflicts.is_empty() {
        return Ok(());
    }
    conflicts(&planned.conflicts);
    say(&format!(
        "conflicts: {}; edit what stands between the markers, or `etlgen update --accept mine|theirs FILE`",
        planned.conflicts.len()
    ));
    Err(Failure::Conflicts)
}

/// Finishes what an earlier run had begun.
fn resume(folder: &Path, dry_run: bool) -> Result<(), Failure> {
    if dry_run && is_pending(folder) {
        return Err(refuse(
            Kind::Crate,
            "an update was cut short",
            "`etlgen update` without `--dry-run` finishes it first",
        ));
    }
    if let Some(done) = recover(folder)? {
        say(&format!("note: {done}"));
    }
    Ok(())
}

fn accept(words: &[String]) -> Result<Accept, Failure> {
    let pairs = words.chunks(2).map(|pair| {
        let side = match pair[0].as_str() {
            "mine" => Side::Mine,
            "theirs" => Side::Theirs,
            other => {
                return Err(refuse(
                    Kind::Usage,
                    format!("`--accept {other}`: there is no such side"),
                    "`mine` is what you wrote, `theirs` what is generated now",
                ));
            }
        };
        let path = pair.get(1).map_or("", String::as_str);
        let path = path.trim_start_matches("./").replace('\\', "/");
        Ok((path, side))
    });
    pairs.collect()
}

fn report(planned: &Update, accept: &Accept) {
    let mut followed = 0;
    for (path, outcome) in &planned.outcomes {
        let conflicted = planned
            .conflicts
            .iter()
            .any(|conflict| conflict.path == *path);
        let what = match outcome {
            Outcome::Follows => {
                followed += 1;
                continue;
            }
            Outcome::New => "new".to_owned(),
            Outcome::Removed => "removed: it is generated no longer, and you had not changed it".to_owned(),
            Outcome::Merged if conflicted => "merged, with conflicts".to_owned(),
            Outcome::Merged => "merged with your changes".to_owned(),
            Outcome::MergedAway(from) => format!("merged with what is generated as {}", printable(from)),
            Outcome::Settled => "settled".to_owned(),
            Outcome::StaysDeleted => {
                "warning: you deleted it, and it stays so; it is generated otherwise now (`--accept theirs` brings it back)"
                    .to_owned()
            }
            Outcome::NowYours => {
                "warning: it is generated no longer; you had changed it, so it stays, as a file of your own".to_owned()
            }
            Outcome::Told if path == "Cargo.toml" => "the next version".to_owned(),
            Outcome::Told => "says what has changed".to_owned(),
            Outcome::Unread => "warning: it is no text, and stays as it is".to_owned(),
        };
        out(&format!("{}: {what}", printable(path)));
    }
    if followed > 0 {
        out(&format!(
            "files that follow, as you had not changed them: {followed}"
        ));
    }
    released(&planned.release);
    for path in accept.keys() {
        if !planned.outcomes.iter().any(|(known, _)| known == path) {
            say(&format!(
                "warning: {}: there is nothing to settle",
                printable(path)
            ));
        }
    }
}

/// What has changed for the crate's users, and its version.
fn released(release: &Release) {
    if release.diff.level().is_none() {
        return;
    }
    let version = match &release.version {
        Bump::None => String::new(),
        Bump::To(from, to) => format!("; version {from} is {to} now"),
        Bump::Own(own) => format!("; version {own} is yours, and stays"),
        Bump::Elsewhere(level) => format!(
            "; the version is not written, as it does not stand in Cargo.toml or a conflict is open: give the crate the next one ({})",
            level.word()
        ),
    };
    out(&format!("{}{version}", summary(&release.diff)));
}

fn conflicts(conflicts: &[Conflict]) {
    for conflict in conflicts {
        say(&format!(
            "conflict: {}:{}: {}",
            printable(&conflict.path),
            conflict.line,
            printable(&conflict.why)
        ));
    }
}

fn diff(crate_: &Existing, planned: &Update) -> Result<(), Failure> {
    let changes: &BTreeMap<String, Option<String>> = &planned.changes;
    for (path, text) in changes {
        let before = match crate_.tree.read(path)? {
            Text::Some(text) => text,
            _ => String::new(),
        };
        let after = text.clone().unwrap_or_default();
        let diff = similar::TextDiff::from_lines(&before, &after);
        let mut diff = diff.unified_diff();
        out(&printable(
            &diff
                .header(&format!("a/{path}"), &format!("b/{path}"))
                .to_string(),
        ));
    }
    Ok(())
}
