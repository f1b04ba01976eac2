//! Text in columns.

/// Aligns the rows as lines, with two spaces between columns and numbers at the right. The first
/// row is the header.
pub fn align(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let is_number = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ' '))
    };
    let layout: Vec<(usize, bool)> = (0..columns)
        .map(|column| {
            let width = rows.iter().map(|row| cell(row, column).chars().count());
            let number = rows.iter().skip(1).all(|row| is_number(&cell(row, column)));
            (width.max().unwrap_or(0), number && rows.len() > 1)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (column, (width, number)) in layout.iter().enumerate() {
            let text = cell(row, column);
            let blanks = " ".repeat(width - text.chars().count());
            if column > 0 {
                line.push_str("  ");
            }
            match number {
                true => line.extend([blanks, text]),
                false => line.extend([text, blanks]),
            }
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn numbers_stand_to_the_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["name", "rows", "end"]),
            row(["a", "7", "x"]),
            row(["long", "1200", ""]),
        ];
        assert_eq!(
            align(&rows),
            ["name  rows  end", "a        7  x", "long  1200"]
        );
    }
}
