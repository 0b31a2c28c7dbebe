"""The statistics behind the repair of substituted words: families of pairs, and a simulator of the damage."""
