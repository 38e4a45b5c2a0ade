//! The images that the repository builds, and the names that are given to them.

use crate::lower::workload::Image;
use std::collections::{HashMap, hash_map};
use std::rc::Rc;

/// Images that were read already: by what builds them, and by the names that are given to them.
pub(in crate::lower) type Images = HashMap<String, Option<Rc<Image>>>;

/// Most images that are built. One Dockerfile may be read again for each set of arguments.
pub(super) const MAX_IMAGES: usize = 1000;

/// An image's name without its tag, as a key that none of those is that say how one is built.
fn name_key(image: &str) -> String {
    let name = image.split('@').next().unwrap_or(image);
    let last = name.rfind('/').map_or(0, |end| end + 1);
    format!("={}", name[last..].find(':').map_or(name, |end| &name[..last + end]))
}

/// Notes under which name an image is built. Two that are built under one name are none.
pub(in crate::lower) fn name_image(images: &mut Images, name: &str, image: Option<Rc<Image>>) {
    let same = |one: &Option<Rc<Image>>, other: &Option<Rc<Image>>| match (one, other) {
        (Some(one), Some(other)) => Rc::ptr_eq(one, other),
        _ => false,
    };
    match images.entry(name_key(name)) {
        hash_map::Entry::Vacant(place) => {
            place.insert(image);
        }
        hash_map::Entry::Occupied(mut place) if !same(place.get(), &image) => {
            place.insert(None);
        }
        hash_map::Entry::Occupied(_) => {}
    }
}

/// The image that the repository builds under a name.
pub(in crate::lower) fn named_image(images: &Images, name: &str) -> Option<Rc<Image>> {
    images.get(&name_key(name)).cloned().flatten()
}
