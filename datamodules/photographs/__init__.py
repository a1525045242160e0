"""Canvases from a folder of photographs (Ar2Can Algorithm 1), built once and read back as scenes.

``python -m datamodules.photographs PHOTOS --out FOLDER --analyzer CLASS`` builds; ``scenes.FolderSource`` reads.
"""
