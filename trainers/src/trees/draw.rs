//! Random draws as a function of what they are for: no state, so nothing depends on the order of work or on where
//! a training was taken up again.

/// Mixes 64 bits (SplitMix64's finaliser, Steele, Lea & Flood 2014).
pub(super) fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A key from a key and what is drawn under it.
pub(super) fn key(parent: u64, child: u64) -> u64 {
    mix(parent ^ mix(child))
}

/// A number from 0 to 1, 1 not included.
pub(super) fn unit(key: u64) -> f64 {
    (mix(key) >> 11) as f64 / (1_u64 << 53) as f64
}

/// `n` of the items, without replacement, in their order.
pub(super) fn choose<T: Copy>(key: u64, items: &[T], n: usize) -> Vec<T> {
    let mut left = n.min(items.len());
    let mut chosen = Vec::with_capacity(left);
    for (i, &item) in items.iter().enumerate() {
        // Selection sampling (Knuth, The Art of Computer Programming 2, algorithm S).
        let rest = (items.len() - i) as f64;
        if unit(key.wrapping_add(i as u64)) * rest < left as f64 {
            chosen.push(item);
            left -= 1;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_asked_are_chosen_each_as_often() {
        let items: Vec<usize> = (0..10).collect();
        let mut counts = [0; 10];
        for draw in 0..2000 {
            let chosen = choose(key(7, draw), &items, 3);
            assert_eq!(chosen.len(), 3);
            assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
            for &item in &chosen {
                counts[item] += 1;
            }
        }
        assert!(counts.iter().all(|&count| (500..700).contains(&count)), "{counts:?}");
    }
}
