//! Tests typical edits of owners and changes of APIs, with snapshots of the edit, the difference in
//! the generated code, and the result of the update. Each result without a conflict compiles.

use std::collections::{BTreeMap, BTreeSet};

use etlgen_tests::compile::compile;
use etlgen_tests::owned::Owned;
use etlgen_tests::workspace::{root, stderr, stdout};
use similar::TextDiff;

const SPEC: &str = "\
openapi: 3.0.3
info: {title: Shop, version: '1'}
servers: [{url: https://shop.example}]
paths:
  /carts: {get: {summary: What is chosen, responses: {'200': {description: All, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Cart'}}}}}}}}
  /orders:
    get:
      summary: What is bought
      parameters:
        - {name: page, in: query, schema: {type: integer, default: 1}}
        - {name: per_page, in: query, schema: {type: integer, maximum: 50}}
      responses:
        '200':
          description: A page.
          content:
            application/json:
              schema:
                type: object
                properties:
                  orders: {type: array, items: {$ref: '#/components/schemas/Order'}}
                  total_pages: {type: integer}
  /users: {get: {summary: Who buys, responses: {'200': {description: All, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/User'}}}}}}}}
components:
  schemas:
    Cart: {type: object, properties: {id: {type: integer}, open: {type: boolean}}}
    Order:
      type: object
      properties:
        id: {type: integer}
        lines: {type: array, items: {$ref: '#/components/schemas/Line'}}
        note: {type: string, description: What the buyer says.}
        total: {type: integer}
    Line:
      type: object
      description: One thing.
      properties:
        sku: {type: string}
        price: {type: integer}
    User: {type: object, properties: {id: {type: integer}, email: {type: string}}}
";

const ORDERS: &str = "src/resources/orders.rs";
const TOTAL: &str = "        total: {type: integer}\n";

struct Scenario {
    name: &'static str,
    edit: fn(&Owned),
    /// The text in the document, and the text in the later document.
    change: (&'static str, &'static str),
    code: i32,
}

const TAX: (&str, &str) = (
    TOTAL,
    "        total: {type: integer}\n        tax: {type: integer}\n",
);

const SCENARIOS: [Scenario; 10] = [
    Scenario {
        name: "a field added by hand beside one added upstream",
        edit: |shop| {
            let total = "    pub total: Option<i64>,\n";
            shop.edit(
                ORDERS,
                total,
                &format!("{total}    /// Mine.\n    pub due: Option<Date>,\n"),
            );
        },
        change: TAX,
        code: 0,
    },
    Scenario {
        name: "a resource renamed in etlgen toml",
        edit: |shop| {
            let wishes = shop.read("etlgen.toml");
            shop.write(
                "etlgen.toml",
                &format!("{wishes}\n[resources.orders]\nname = \"sales\"\n"),
            );
            shop.edit(
                ORDERS,
                ".records(",
                ".filter(|order: &Order| order.total > Some(0))\n        .records(",
            );
        },
        change: ("", ""),
        code: 0,
    },
    Scenario {
        name: "a closure on a resource whose paginator changed upstream",
        edit: |shop| {
            shop.edit(ORDERS, "        .paginate(", "        .filter(|order| {\n            // Gifts.\n            order.total > Some(0)\n        })\n        .paginate(");
        },
        change: (
            "{name: page, in: query, schema: {type: integer, default: 1}}",
            "{name: offset, in: query, schema: {type: integer, default: 0}}",
        ),
        code: 0,
    },
    Scenario {
        name: "a field retyped on both sides",
        edit: |shop| {
            shop.edit(
                ORDERS,
                "pub total: Option<i64>",
                "pub total: Option<Decimal>",
            )
        },
        change: (TOTAL, "        total: {type: number}\n"),
        code: 2,
    },
    Scenario {
        name: "a resource removed upstream but edited",
        edit: |shop| {
            shop.edit(
                "src/resources/users.rs",
                "pub email:",
                "// Mine.\n    pub email:",
            )
        },
        change: ("  /users: {get: ", "  /users: {put: "),
        code: 0,
    },
    Scenario {
        name: "a file moved",
        edit: |shop| {
            let text = shop.read(ORDERS);
            shop.remove(ORDERS);
            shop.write(
                "src/resources/sales/orders.rs",
                &text.replace("pub note:", "// Mine.\n    pub note:"),
            );
            shop.write(
                "src/resources/sales/mod.rs",
                "mod orders;\n\npub use orders::*;\n",
            );
            shop.edit("src/resources/mod.rs", "mod orders;", "mod sales;");
            shop.edit(
                "src/resources/mod.rs",
                "pub use orders::*;",
                "pub use sales::*;",
            );
        },
        change: TAX,
        code: 0,
    },
    Scenario {
        name: "a struct split to another module",
        edit: |shop| {
            let text = shop.read(ORDERS);
            let at = text.find("/// One thing.").unwrap();
            let (rest, line) = text.split_at(at);
            shop.write(
                ORDERS,
                &rest.replace(
                    "prelude::*;\n",
                    "prelude::*;\n\npub use crate::line::Line;\n",
                ),
            );
            shop.write(
                "src/line.rs",
                &format!("//! Mine.\n\nuse etlgen_runtime::prelude::*;\n\n{line}"),
            );
            shop.edit(
                "src/lib.rs",
                "pub mod config;",
                "pub mod config;\npub mod line;",
            );
        },
        change: TAX,
        code: 0,
    },
    Scenario {
        name: "all comments rewritten",
        edit: |shop| {
            for file in [
                ORDERS,
                "src/resources/carts.rs",
                "src/resources/users.rs",
                "src/lib.rs",
                "src/config.rs",
            ] {
                let text = shop.read(file);
                let lines =
                    text.lines()
                        .enumerate()
                        .map(|(at, line)| match line.split_once("///") {
                            Some((indent, _)) => format!("{indent}/// In my words, {at}.\n"),
                            None => format!("{line}\n"),
                        });
                shop.write(file, &lines.collect::<String>());
            }
        },
        change: TAX,
        code: 0,
    },
    Scenario {
        name: "another configuration of rustfmt",
        edit: |shop| {
            shop.write("rustfmt.toml", "tab_spaces = 2\nmax_width = 60\n");
            shop.edit(ORDERS, "pub note:", "// Mine.\n    pub note:");
            let status = std::process::Command::new("cargo")
                .arg("fmt")
                .current_dir(shop.made())
                .status();
            assert!(status.unwrap().success());
        },
        change: TAX,
        code: 0,
    },
    Scenario {
        name: "a resource added upstream between two edited ones",
        edit: |shop| {
            shop.edit(
                "src/lib.rs",
                "resources::carts()",
                "resources::carts().filter(|cart| cart.open == Some(true))",
            );
            shop.edit(
                "src/lib.rs",
                "resources::orders()",
                "resources::orders().filter(|order| order.total > Some(0))",
            );
        },
        change: (
            "  /orders:\n",
            "  /gifts: {get: {summary: What is given, responses: {'200': {description: All, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Cart'}}}}}}}}\n  /orders:\n",
        ),
        code: 0,
    },
];

type Tree = BTreeMap<String, String>;

/// Returns the files of a crate, and the base of an update.
fn trees(shop: &Owned) -> (Tree, Tree) {
    let all = shop.tree().into_iter();
    let all = all.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()));
    let (records, files): (Tree, Tree) = all.partition(|(path, _)| path.starts_with(".etlgen/"));
    let base = records.into_iter().filter_map(|(path, text)| {
        let path = path.strip_prefix(".etlgen/base/")?.strip_suffix(".base")?;
        Some((path.to_owned(), text))
    });
    (files, base.collect())
}

/// Returns the differences, file by file.
fn difference(before: &Tree, after: &Tree) -> String {
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut out = String::new();
    for path in paths {
        let (old, new) = (before.get(path), after.get(path));
        if old == new {
            continue;
        }
        out += &match (old, new) {
            (None, _) => format!("--- {path} (new)\n"),
            (_, None) => format!("--- {path} (gone)\n"),
            _ => format!("--- {path}\n"),
        };
        let empty = String::new();
        let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
        // The lines of a removed file are not shown.
        if !new.is_empty() {
            let diff = TextDiff::from_lines(old, new);
            out += &diff.unified_diff().context_radius(1).to_string();
        }
    }
    out
}

#[test]
fn each_is_as_it_was_agreed() {
    let mut sound = Vec::new();
    for scenario in &SCENARIOS {
        let shop = Owned::new(SPEC, &[]);
        let (before, base) = trees(&shop);
        (scenario.edit)(&shop);
        let (edited, _) = trees(&shop);
        let (old, new) = scenario.change;
        assert!(SPEC.contains(old), "{}", scenario.name);
        shop.respecify(&SPEC.replacen(old, new, 1));
        let output = shop.run(&["update"]);
        let (after, now) = trees(&shop);
        let snapshot = format!(
            "=== the edit\n{}=== generated now\n{}=== after the update\n{}=== said, and ended with {}\n{}{}",
            difference(&before, &edited),
            difference(&base, &now),
            difference(&edited, &after),
            output.status.code().unwrap(),
            stdout(&output),
            stderr(&output),
        );
        // The file names the runtime by its path, which differs between checkouts.
        let runtime = root().join("runtime");
        let snapshot = snapshot.replace(&format!("{}", runtime.display()), "RUNTIME");
        etlgen_testkit::assert_snapshot!(scenario.name.replace(' ', "_"), snapshot);
        assert_eq!(
            output.status.code(),
            Some(scenario.code),
            "{}: {snapshot}",
            scenario.name
        );
        if scenario.code == 0 {
            shop.ends(0, &["check"]);
            sound.push((scenario.name.replace(' ', "-"), shop.tree()));
        }
    }
    compile(sound);
}
