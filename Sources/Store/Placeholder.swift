/// The store.
enum Placeholder {}
