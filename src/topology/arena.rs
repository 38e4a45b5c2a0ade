//! A list whose places have a typed name.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// The name of a place in an [`Arena`] of `T`.
pub struct Id<T> {
    index: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The running number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.index.cmp(&other.index)
    }
}
impl<T> std::hash::Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

/// A list that grows without moving what it holds: a vector of many megabytes that doubles copies all of them, and the
/// old ones are memory that an allocator keeps for a while.
#[derive(Clone, Debug)]
pub struct Pieces<T>(Vec<Vec<T>>);

/// As many elements are kept in one piece.
const PIECE: usize = 512;

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pieces<T> {
    /// Puts one in, behind the others.
    pub fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < PIECE => last.push(value),
            // Small lists stay small; what comes behind a full piece is probably long.
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(value);
                self.0.push(piece);
            }
            None => self.0.push(vec![value]),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PIECE + last.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one with this running number.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.0.get(index / PIECE)?.get(index % PIECE)
    }

    /// The one with this running number, to be changed.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.0.get_mut(index / PIECE)?.get_mut(index % PIECE)
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T> Index<usize> for Pieces<T> {
    type Output = T;
    #[inline]
    fn index(&self, index: usize) -> &T {
        &self.0[index / PIECE][index % PIECE]
    }
}

impl<T> IndexMut<usize> for Pieces<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut self.0[index / PIECE][index % PIECE]
    }
}

/// Each piece is given back as soon as the last one in it was taken.
impl<T> IntoIterator for Pieces<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<T>>>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

/// A growing list; what was put in keeps its [`Id`].
#[derive(Clone, Debug)]
pub struct Arena<T>(Pieces<T>);

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self(Pieces::default())
    }
}

impl<T> Arena<T> {
    /// Puts one in.
    pub fn push(&mut self, value: T) -> Id<T> {
        let id = Id { index: self.0.len() as u32, of: PhantomData };
        self.0.push(value);
        id
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.0.iter().enumerate().map(|(i, value)| (Id { index: i as u32, of: PhantomData }, value))
    }

    /// All ids. Does not borrow the arena.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = Id<T>> + use<T> {
        (0..self.0.len() as u32).map(|index| Id { index, of: PhantomData })
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: Id<T>) -> &T {
        &self.0[id.index()]
    }
}

impl<T> IndexMut<Id<T>> for Arena<T> {
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        &mut self.0[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_over_the_ends_of_pieces() {
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let mut pieces = Pieces::default();
            (0..size).for_each(|number| pieces.push(number));
            assert_eq!((pieces.len(), pieces.is_empty()), (size, size == 0));
            assert!(pieces.iter().copied().eq(0..size));
            assert!((0..size).all(|number| pieces[number] == number && pieces.get(number) == Some(&number)));
            assert_eq!(pieces.get(size), None);
            assert!(pieces.into_iter().eq(0..size));
        }
    }
}
