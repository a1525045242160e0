"""Measures as pure functions: tensors in, tensors out, every empty and ragged case defined.

n references (truth or plan) stand in rows, o or m detections in columns. What cannot be measured is NaN, and
a NaN never matches; what was asked for and is not there scores 0.
"""
