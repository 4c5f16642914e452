//! Where the entry point of a kernel stands in its source, for people to be led there. No parser of C++: what it does not
//! find has no line.

/// The 1-based line on which `source` declares the `__global__` function `entry`.
pub(super) fn line(source: &str, entry: &str) -> Option<usize> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let is_declared = |at: &usize| {
        let (before, after) = (source.get(..*at).unwrap_or_default(), source.get(at + entry.len()..).unwrap_or_default());
        let is_called_so = !before.ends_with(is_name) && after.trim_start().starts_with('(');
        let on_its_line = before.rsplit('\n').next().unwrap_or_default();
        let of_this_declaration = before.rsplit([';', '{', '}']).next().unwrap_or_default();
        let mut code = of_this_declaration.lines().filter_map(|line| line.split("//").next());
        is_called_so && !on_its_line.contains("//") && code.any(|line| line.contains("__global__"))
    };
    let at = source.match_indices(entry).map(|(at, _)| at).find(is_declared)?;
    Some(source.get(..at)?.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_that_of_the_declaration() {
        let source = "// The __global__ function scale(y) comes below.\nvoid scale_all() { scale(1); }\n\
                      extern \"C\" __global__ void __launch_bounds__(256)\nscale (float* y) {}\n";
        assert_eq!(line(source, "scale"), Some(4));
        assert_eq!(line(source, "scale_all"), None, "no kernel");
        assert_eq!(line(source, "other"), None);
        assert_eq!(line("extern \"C\" {\n__global__ void k(int n);\n}", "k"), Some(2));
    }
}
