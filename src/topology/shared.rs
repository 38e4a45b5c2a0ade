//! Values that many objects have in common, kept once.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value that others may hold, too: what a whole tree inherits is kept once. Who changes it gets one of its own.
#[derive(Debug, Default)]
pub struct Shared<T>(Arc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// How many values are compared with a new one. Neighbours inherit the same; so few are enough.
const KEPT: usize = 8;

/// The last few different values: an equal one is not kept again.
#[derive(Debug)]
pub struct Lately<T> {
    kept: Vec<Shared<T>>,
    next: usize,
}

impl<T> Default for Lately<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), next: 0 }
    }
}

impl<T: PartialEq> Lately<T> {
    /// A value, or the equal one that is there already.
    pub fn share(&mut self, value: T) -> Shared<T> {
        if let Some(same) = self.kept.iter().find(|kept| ***kept == value) {
            return same.clone();
        }
        let value = Shared::from(value);
        match self.kept.get_mut(self.next) {
            Some(oldest) => *oldest = value.clone(),
            None => self.kept.push(value.clone()),
        }
        self.next = (self.next + 1) % KEPT;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_kept_once_and_changed_alone() {
        let mut lately = Lately::default();
        let mut first = lately.share("a".to_owned());
        let second = lately.share("a".to_owned());
        assert!(Arc::ptr_eq(&first.0, &second.0));
        first.push('b');
        assert_eq!((first.as_str(), second.as_str()), ("ab", "a"));
        for number in 0..KEPT * 3 {
            assert_eq!(*lately.share(number.to_string()), number.to_string());
        }
        assert_eq!(lately.kept.len(), KEPT);
    }
}
