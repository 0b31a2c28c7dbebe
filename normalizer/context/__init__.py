"""The statistics behind the repair of substituted words: pairs, weights and their training, inference, a simulator."""
