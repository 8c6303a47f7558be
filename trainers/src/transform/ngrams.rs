//! Pieces of text that are counted.

/// Lower-cased runs of letters and digits of two characters or more.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().nth(1).is_some()).map(str::to_lowercase)
}

/// Hands over every word and every pair of words that follow each other, as scikit-learn's `ngram_range=(1, 2)` has them.
pub(super) fn each_word_and_pair(text: &str, mut take: impl FnMut(&str)) {
    let mut pair = String::new();
    let mut before: Option<String> = None;
    for word in words(text) {
        take(&word);
        if let Some(before) = before {
            pair.clear();
            pair.push_str(&before);
            pair.push(' ');
            pair.push_str(&word);
            take(&pair);
        }
        before = Some(word);
    }
}

/// Hands over every run of three and of four characters inside each lower-cased word with a space before and after it, as
/// scikit-learn's `analyzer="char_wb", ngram_range=(3, 4)` has them; a word shorter than that once, as a whole.
pub(super) fn each_run_of_characters(text: &str, mut take: impl FnMut(&str)) {
    let mut padded = String::new();
    for word in text.to_lowercase().split_whitespace() {
        padded.clear();
        padded.push(' ');
        padded.push_str(word);
        padded.push(' ');
        let starts: Vec<usize> = padded.char_indices().map(|(at, _)| at).chain([padded.len()]).collect();
        let n_chars = starts.len() - 1;
        for n in [3, 4] {
            if n_chars <= n {
                take(&padded);
                break;
            }
            starts.windows(n + 1).for_each(|run| take(&padded[run[0]..run[n]]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.9.1, `CountVectorizer(analyzer="char_wb", ngram_range=(3, 4)).build_analyzer()` and
    /// `CountVectorizer(token_pattern=r"(?u)[^\W_]{2,}", ngram_range=(1, 2))`, whose pairs come after all words.
    #[test]
    fn pieces_are_those_of_scikit_learn() {
        let mut runs = Vec::new();
        each_run_of_characters("Ab  a\tÄbcd!", |run| runs.push(run.to_owned()));
        let expected = [" ab", "ab ", " ab ", " a ", " äb", "äbc", "bcd", "cd!", "d! ", " äbc", "äbcd", "bcd!", "cd! "];
        assert_eq!(runs, expected);
        let mut pairs = Vec::new();
        each_word_and_pair("The cat, a_cat's hat", |piece| pairs.push(piece.to_owned()));
        pairs.sort();
        assert_eq!(pairs, ["cat", "cat", "cat cat", "cat hat", "hat", "the", "the cat"]);
    }
}
