"""Drawings of the tables: matrix, Mermaid, DOT and SVG, each the same for the same chart."""
