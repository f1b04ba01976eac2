//! Tries random pairs of owners' edits and API changes: no line of the owner is lost, each result
//! compiles or is a named conflict, and a second update changes nothing.
//!
//! The tests always use the small document, and Stripe's if it is next to the repository. `ETLGEN_MERGES=200` tries
//! that many pairs on Stripe's, with an optimised `etlgen`; `ETLGEN_SEED` names the first pair.

mod chance;
mod changes;
mod edits;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chance::Chance;
use etlgen_testkit::shared::specs;
use etlgen_testkit::switches::{MERGES, SEED};
use etlgen_testkit::{Kind, skip};
use etlgen_tests::compile::{Tree, failures};
use etlgen_tests::owned::Owned;
use etlgen_tests::workspace::{binary, optimised, root, stderr, stdout};
use serde_json::Value;

/// The counts of the pairs tried so far.
#[derive(Debug, Default)]
struct Tally {
    clean: usize,
    conflicts: usize,
    /// Updates that are refused because `etlgen.toml` names a resource that the API no longer has.
    refused: usize,
    places: usize,
    lines: usize,
    /// Merges without a conflict that compile.
    compiled: usize,
    /// Merges without a conflict that do not compile, as the owner's crate did not before.
    broken_before: usize,
}

/// A pair that merged cleanly.
struct Clean {
    seed: u64,
    /// The edit, the change, and the output of the update.
    context: String,
    before: Tree,
    after: Tree,
}

fn json(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(yaml_serde::from_str(&text).unwrap())
}

#[test]
fn our_own_document_in_pairs() {
    let document = json(&root().join("generated-examples/specs/billing.yaml")).unwrap();
    let tally = pairs(&document, binary("etlgen"), 60);
    assert!(tally.lines > 50, "{tally:?}");
    // Other seeds have no known result.
    assert!(
        SEED.text().is_some() || tally.clean > 20 && tally.conflicts > 5,
        "{tally:?}"
    );
}

#[test]
fn stripes_document_in_pairs() {
    let Some(document) = json(&specs().join("Deployed/stripe.yaml")) else {
        return skip(
            Kind::Shared,
            "Stripe's document is not next to the repository",
        );
    };
    match MERGES.number() {
        Some(count) => pairs(&document, optimised("etlgen", "etlgen"), count),
        None => pairs(&document, binary("etlgen"), 6),
    };
}

/// Tries that many pairs, and compiles the merges without a conflict.
fn pairs(document: &Value, etlgen: PathBuf, count: u64) -> Tally {
    let began = Instant::now();
    let made = Owned::by(etlgen, &document.to_string(), &[]);
    let first = SEED.number().unwrap_or(0);
    let middle = first + count / 2;
    let (mut tally, mut clean) = (Tally::default(), Vec::new());
    std::thread::scope(|scope| {
        let halves = [first..middle, middle..first + count];
        let halves = halves.map(|seeds| {
            let made = &made;
            scope.spawn(move || {
                let mut tally = Tally::default();
                let clean = seeds.filter_map(|seed| pair(document, made, seed, &mut tally));
                (clean.collect::<Vec<_>>(), tally)
            })
        });
        for half in halves {
            let (kept, more) = half.join().unwrap();
            tally.clean += more.clean;
            tally.conflicts += more.conflicts;
            tally.refused += more.refused;
            tally.places += more.places;
            tally.lines += more.lines;
            clean.extend(kept);
        }
    });
    let merged = began.elapsed();
    compiles(&clean, &mut tally);
    println!(
        "{tally:?}, {:.0} s of updates and {:.0} s of compiling",
        merged.as_secs_f64(),
        (began.elapsed() - merged).as_secs_f64()
    );
    tally
}

/// Checks that a merge without a conflict compiles if the owner's crate did before.
fn compiles(clean: &[Clean], tally: &mut Tally) {
    let name = |pair: &Clean| format!("p{}", pair.seed);
    let after = failures(clean.iter().map(|pair| (name(pair), pair.after.clone())));
    let bad: Vec<&Clean> = clean
        .iter()
        .filter(|pair| after.contains_key(&name(pair)))
        .collect();
    let before = failures(bad.iter().map(|pair| (name(pair), pair.before.clone())));
    let broken: Vec<String> = bad
        .iter()
        .filter(|pair| !before.contains_key(&name(pair)))
        .map(|pair| format!("{}\n{}", pair.context, after[&name(pair)]))
        .collect();
    assert!(
        broken.is_empty(),
        "{} compiled before the update:\n{}",
        broken.len(),
        broken.join("\n")
    );
    tally.compiled = clean.len() - bad.len();
    tally.broken_before = bad.len();
}

/// Tries one pair; returns a merge without a conflict.
fn pair(document: &Value, made: &Owned, seed: u64, tally: &mut Tally) -> Option<Clean> {
    let mut chance = Chance::new(seed);
    let owned = made.copy();
    let base = lines(&owned.tree());
    let files: Vec<String> = owned
        .tree()
        .into_keys()
        .filter(|path| path.starts_with("src/resources/") || path.starts_with("src/types/"))
        .collect();
    let mut said = Vec::new();
    let near_file = chance.of(&files).unwrap().clone();
    let near = schemas(&owned, &near_file);
    for _ in 0..1 + chance.below(3) {
        let file = match chance.below(4) {
            0 => chance.of(&files).unwrap(),
            _ => &near_file,
        };
        said.extend(
            edits::edit(&owned, file, &mut chance)
                .map(|what| format!("the owner {what} in {file}")),
        );
    }
    let before = owned.tree();
    let edited = lines(&before);
    let mut new = document.clone();
    for _ in 0..1 + chance.below(3) {
        said.extend(
            changes::change(&mut new, &near, &mut chance).map(|what| format!("the API {what}")),
        );
    }
    owned.respecify(&new.to_string());

    let output = owned.run(&["update"]);
    let told = stdout(&output) + &stderr(&output);
    let context = format!("ETLGEN_SEED={seed}: {said:#?}\n{told}");
    let code = output.status.code().unwrap();
    let tree = owned.tree();
    if code == 1 && told.contains("the document has no resource") {
        assert!(
            owned.read("etlgen.toml").contains("[resources.") && tree == before,
            "{context}"
        );
        tally.refused += 1;
        return None;
    }
    assert!(code == 0 || code == 2, "{context}");
    let after = lines(&tree);
    let pristine = lines(
        &tree
            .iter()
            .filter_map(|(path, bytes)| {
                let path = path.strip_prefix(".etlgen/base/")?.strip_suffix(".base")?;
                Some((path.to_owned(), bytes.clone()))
            })
            .collect(),
    );

    // The owner's additions still exist, in the code or on the owner's side of a conflict.
    for (line, count) in &edited {
        let before = base.get(line).copied().unwrap_or(0);
        if *count > before && before == 0 {
            tally.lines += 1;
            let now = after.get(line).copied().unwrap_or(0);
            assert!(now >= *count, "lost: {line:?}\n{context}");
        }
    }
    // The owner's deletions stay, unless the API changed the same code, in files that are reported,
    // or there is a conflict.
    if code == 0 {
        let mut known = tree.clone();
        known.retain(|path, _| !told.contains(&format!("{path}: new\n")));
        let after = lines(&known);
        for (line, count) in &base {
            let left = edited.get(line).copied().unwrap_or(0);
            let anew = pristine
                .get(line)
                .copied()
                .unwrap_or(0)
                .saturating_sub(*count);
            if left < *count && line.len() > 3 {
                let now = after.get(line).copied().unwrap_or(0);
                assert!(now <= left + anew, "back: {line:?}\n{context}");
            }
        }
    }
    for (path, bytes) in tree.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let text = String::from_utf8_lossy(bytes);
        let marked = text.contains("<<<<<<< mine\n");
        let named = told.contains(&format!("conflict: {path}:"));
        assert!(
            !marked || named && code == 2,
            "{path}: markers that nobody tells of\n{context}"
        );
        assert!(
            marked || syn::parse_file(&text).is_ok(),
            "{path} is not valid Rust\n{context}\n{text}"
        );
    }
    let again = owned.run(&["update"]);
    let marked = tree.iter().any(|(path, bytes)| {
        !path.starts_with(".etlgen") && String::from_utf8_lossy(bytes).contains("<<<<<<< mine\n")
    });
    assert_eq!(
        again.status.code(),
        Some(if marked { 2 } else { 0 }),
        "{context}\n{}",
        stderr(&again)
    );
    assert!(
        marked || stdout(&again).contains("nothing has changed"),
        "{context}\n{}",
        stdout(&again)
    );
    assert_eq!(owned.tree(), tree, "{context}");
    match code {
        0 => tally.clean += 1,
        _ => tally.conflicts += 1,
    }
    tally.places += told.matches("conflict: ").count();
    (code == 0).then_some(Clean {
        seed,
        context,
        before,
        after: tree,
    })
}

/// Counts the occurrences of each line in the owner's part of the files, ignoring indentation.
fn lines(tree: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (_, bytes) in tree.iter().filter(|(path, _)| !path.starts_with(".etlgen")) {
        let mut mine = true;
        for line in String::from_utf8_lossy(bytes).lines() {
            match line {
                "||||||| as generated before" => mine = false,
                ">>>>>>> theirs (as generated now)" => mine = true,
                line if mine => *found.entry(line.trim().to_owned()).or_default() += 1,
                _ => {}
            }
        }
    }
    found
}

/// Returns the schemas whose structs are in a file.
fn schemas(owned: &Owned, file: &str) -> Vec<String> {
    let lock: Value = serde_json::from_str(&owned.read(".etlgen/lock.json")).unwrap();
    let text = owned.read(file);
    let names = lock["names"].as_object().unwrap().iter();
    let here = names.filter_map(|(what, name)| {
        let schema = what.strip_prefix("struct /components/schemas/")?;
        let name = name.as_str()?;
        let here = text.contains(&format!("pub struct {name} {{"));
        (here && !schema.contains('/')).then(|| schema.to_owned())
    });
    here.collect()
}
