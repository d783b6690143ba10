"""One module a stack; a stack composes what `stacks.constructs` own."""
