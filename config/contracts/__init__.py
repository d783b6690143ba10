"""Names and shapes that cross a boundary: stdlib only, copied into every image and Lambda.

Source of every value: the contract table of document 001 and the running application behind it.
"""
