"""Questions, one file a lesson: ``m02_n02.py`` holds ``QUESTIONS`` of lesson m02_n02."""
