# Copyright (C) vidcast contributors

"""
    pictures.py FOLDER

writes photographs with faces, far and near, of opencv-doc.  All are 4:3, for
which there is but one size in a model's square.
"""

import sys

import cv2

data = '/usr/share/doc/opencv-doc/examples/data/'
messi, court = [cv2.imread(data + name) for name in ('messi5.jpg',
                                                     'basketball1.png')]

for name, picture in (('messi', messi[:, 60:516]),
                      ('messi-near', messi[40:208, 130:354]),
                      ('court', court), ('court-near', court[40:280, :320])):
    if not cv2.imwrite('%s/%s.jpg' % (sys.argv[1], name), picture):
        sys.exit('%s.jpg could not be written' % name)
