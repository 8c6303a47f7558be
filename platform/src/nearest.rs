//! The known name nearest in spelling to one that was not found.

/// The candidate with the fewest edits to `wanted`, if few enough that it may have been meant: at most a third
/// of the longer name's characters, and one for very short names. Equal ones: the first.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    candidates
        .into_iter()
        .map(|name| (edits(wanted, name), name))
        .filter(|&(n_edits, name)| n_edits <= (wanted.len().max(name.len()) / 3).max(1))
        .min_by_key(|&(n_edits, _)| n_edits)
        .map(|(_, name)| name.to_owned())
}

/// Levenshtein distance over characters (Wagner and Fischer 1974), with a swap of neighbours counted once
/// (the restricted form of Damerau 1964), since that is the commonest slip.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &left) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, &right) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(left != right);
            row[j + 1] = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left == b[j - 1] && a[i - 1] == right {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_slips() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("chrun", "churn"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("same", "same"), 0);
    }

    #[test]
    fn nearest_is_near_or_nothing() {
        let names = ["churn", "iris", "wine"];
        assert_eq!(nearest("chrun", names).as_deref(), Some("churn"));
        assert_eq!(nearest("irsi", names).as_deref(), Some("iris"));
        assert_eq!(nearest("diabetes", names), None);
        assert_eq!(nearest("x", []), None);
    }
}
