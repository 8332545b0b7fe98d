"""`make bench`: how many requests a second the service answers, and how long the slowest one in a hundred takes."""
