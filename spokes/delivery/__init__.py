"""The example's second spoke: how likely the first attempt to deliver a parcel fails today."""
