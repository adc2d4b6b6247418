//! How much of a list fits into so many bytes of a message.

use bus_contract::{Message, directory::DirectGroup};

/// Bytes of groups that one user is shown with, in facts and outcomes too: some 3,500 groups of usual names. Together with
/// the largest attributes that is less than a message carries, so nobody is ever too large to be told of.
pub(crate) const MAX_GROUPS_BYTES: usize = 256 << 10;

/// As much from the beginning as fits.
pub(crate) fn that_fits<T: Message>(items: impl IntoIterator<Item = T>, bytes: usize) -> Vec<T> {
    let mut sum = 0;
    let fits = |item: &T| {
        sum += item.encoded_len();
        sum <= bytes
    };
    items.into_iter().take_while(fits).collect()
}

/// The groups that a user is shown with.
pub(crate) fn shown_groups(groups: impl IntoIterator<Item = DirectGroup>) -> Vec<DirectGroup> {
    that_fits(groups, MAX_GROUPS_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_in_very_many_groups_is_shown_with_the_first_of_them() {
        let groups = |count| {
            (0..count).map(|n| DirectGroup { group_id: format!("{n:036}"), display_name: "ß".repeat(512) })
        };
        assert_eq!(shown_groups(groups(100)).len(), 100);
        let shown = shown_groups(groups(1_000));
        let bytes: usize = shown.iter().map(Message::encoded_len).sum();
        assert!((MAX_GROUPS_BYTES - 1_100..=MAX_GROUPS_BYTES).contains(&bytes), "{bytes}");
        assert_eq!(shown, groups(shown.len()).collect::<Vec<_>>());
    }
}
