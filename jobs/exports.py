FORMATS = ("paddleclas",)
