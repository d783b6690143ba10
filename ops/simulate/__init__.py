"""A fleet's week before it is deployed: a discrete-event simulation under the real decision."""
