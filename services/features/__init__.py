"""A spoke's feature views: deployed, described, fresh or not."""
