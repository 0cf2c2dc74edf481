//! Tables with columns as wide as they must be, as Go's tabwriter aligns them.

/// Cells end at a tab; the last of a row is not padded. Columns are at least `width_min` wide and
/// `padding` apart.
pub(crate) fn render<const N: usize>(
    rows: &[[String; N]],
    width_min: usize,
    padding: usize,
) -> String {
    let mut widths = [width_min; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count() + padding);
        }
    }
    let mut out = String::new();
    for row in rows {
        for (idx, (cell, width)) in row.iter().zip(widths).enumerate() {
            out.push_str(cell);
            if idx + 1 < N {
                out.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
            }
        }
        out.push('\n');
    }
    out
}
