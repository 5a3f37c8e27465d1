"""Named-entity recognition by word windows: corpora, models, training, evaluation."""
