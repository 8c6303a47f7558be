//! Classes of very different size: Azure's rule, the rarest at most a fifth of the commonest.

use trainers::Target;

use super::{Check, share_of};

pub(super) fn check(target: &Target, rows: &[u32]) -> Check {
    let Some(codes) = target.codes() else { return Check::ok("balance") };
    let mut counts = vec![0_usize; target.classes.len()];
    for &row in rows {
        counts[codes[row as usize] as usize] += 1;
    }
    let rarest = counts.iter().enumerate().min_by_key(|(_, n)| **n);
    let commonest = counts.iter().max().copied().unwrap_or(0);
    match rarest {
        Some((class, &n)) if n * 5 <= commonest => {
            let share = share_of(n as f64 / rows.len().max(1) as f64);
            let text = format!("class `{}` is {share} of the rows; read accuracy with care", target.classes[class]);
            Check::alert("balance", text)
        }
        _ => Check::ok("balance"),
    }
}
