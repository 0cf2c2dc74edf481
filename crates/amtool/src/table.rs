//! Columns of text, as Go's `tabwriter` sets them: two blanks between, none before.

/// Lays out rows; each cell is followed by what fills its column, the last one too.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let width = |cell: &String| cell.chars().count();
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n_columns)
        .map(|idx| rows.iter().filter_map(|row| row.get(idx)).map(width).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        for (cell, column) in row.iter().zip(&widths) {
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', column - width(cell) + 2));
        }
        out.push('\n');
    }
    out
}

/// A row from anything that prints.
pub(crate) fn row<const N: usize>(cells: [&dyn std::fmt::Display; N]) -> Vec<String> {
    cells.iter().map(|cell| cell.to_string()).collect()
}
