"""The documents are held against the code: what they list, what they link to, what they tell people to type."""
