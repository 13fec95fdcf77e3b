// A text field with line numbers, which shows in which lines mistakes are.

/** Attaches to `field` and to the element for its numbers. */
export function editor(field, gutter) {
  let bad = new Set()
  const draw = () => {
    const count = field.value.split('\n').length
    const lines = Array.from({ length: count }, (_, at) => {
      const line = document.createElement('span')
      line.textContent = bad.has(at + 1) ? `! ${at + 1}` : `${at + 1}`
      line.className = bad.has(at + 1) ? 'bad' : ''
      return line
    })
    gutter.replaceChildren(...lines)
    gutter.scrollTop = field.scrollTop
  }
  field.addEventListener('input', draw)
  field.addEventListener('scroll', () => { gutter.scrollTop = field.scrollTop })
  return {
    /** Shows that these lines have mistakes. */
    mark(lines) {
      bad = new Set(lines)
      draw()
    },
    /** Puts the cursor into a line and selects it. */
    go(line) {
      const lines = field.value.split('\n')
      const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0)
      field.focus()
      field.setSelectionRange(start, start + (lines[line - 1] ?? '').length)
      const height = field.scrollHeight / lines.length
      field.scrollTop = Math.max(0, (line - 4) * height)
      field.scrollLeft = 0
    },
  }
}
