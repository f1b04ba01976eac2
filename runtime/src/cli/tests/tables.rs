//! Tests of the subcommands of `tables`.

use serde_json::json;

use crate::cli::target::open;
use crate::cli::{args, commands};
use crate::error::Result;
use crate::record::Record;
use crate::source::{RecordExt, Source};

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

fn run(words: &[&str], resource: &str) -> Result<u8> {
    let matches = args::command("c", "1", "c", Default::default()).try_get_matches_from(words);
    let items = Item::list(resource, &format!("/{resource}"));
    let source = Source::new("taped", "https://api.example");
    let source = source.resource(items.primary_key([Item::ID]));
    commands::run(&matches.unwrap(), &source)
}

#[test]
fn tables_get_another_name_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape");
    std::fs::create_dir(&tape).unwrap();
    let exchange = json!({
        "request": {"method": "GET", "path": "/items"},
        "response": {"status": 200, "body": [{"id": 1}, {"id": 2}]},
    });
    std::fs::write(tape.join("1.json"), exchange.to_string()).unwrap();
    let tape = tape.to_str().unwrap();
    for scheme in ["sqlite", "parquet"] {
        let into = format!("{scheme}:{}", folder.path().join(scheme).display());
        let with = |words: &[&str]| -> Vec<String> {
            let words = [&["c"], words, &["--destination", &into]].concat();
            words.into_iter().map(str::to_owned).collect()
        };
        let run = |words: &[&str], resource: &str| {
            let words = with(words);
            run(
                &words.iter().map(String::as_str).collect::<Vec<_>>(),
                resource,
            )
        };
        let rename = ["tables", "rename", "items", "things"];
        run(&["sync", "--replay", tape], "items").unwrap();
        let error = run(&["tables", "rename", "tea", "things"], "things").unwrap_err();
        assert!(error.report().contains("there are `items`"), "{error}");
        let error = run(&rename, "items").unwrap_err();
        assert!(error.report().contains("no resource `things`"), "{error}");
        assert_eq!(run(&rename, "things").unwrap(), 0);
        let source = Source::new("taped", "https://api.example");
        let matches =
            args::command("c", "1", "c", Default::default()).get_matches_from(with(&["tables"]));
        let (_, matches) = matches.subcommand().unwrap();
        let counts = || open(matches, &source).unwrap().0.row_counts().unwrap();
        assert_eq!(counts(), [("things".to_owned(), 2)]);
        assert_eq!(run(&["tables"], "items").unwrap(), 0);
        assert_eq!(run(&["tables", "drop", "things"], "items").unwrap(), 0);
        assert_eq!(counts(), []);
    }
}
