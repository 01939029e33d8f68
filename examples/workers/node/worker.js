// Skills in Node.js: claw up --worker 'node examples/workers/node/worker.js'
'use strict'

const fs = require('node:fs')
const { serve, TaskError } = require('./claw.js')

const trace = (path, text) => { if (path) fs.appendFileSync(path, `${text}\n`) }

serve({
  'js-greet': {
    description: 'Greets somebody.',
    parameters: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    run: async (task, { name }) => `Hello, ${name}!`
  },

  'js-order': {
    description: 'Charges and ships, each once, and waits for a person in between.',
    parameters: {
      type: 'object',
      properties: { item: { type: 'string' }, trace: { type: 'string' } },
      required: ['item']
    },
    async run (task, params) {
      async function charge (item) {
        trace(params.trace, `charge ${item}`)
        return { receipt: `r-${item}` }
      }
      const paid = await task.step(charge, params.item)
      task.progress(1, 3)
      const go = await task.signal('go')
      const shipped = await task.step('ship', async () => {
        trace(params.trace, `ship ${params.item}`)
        return `${paid.receipt} to ${go}`
      })
      console.log('shipped', params.item)
      return shipped
    }
  },

  'js-fan-out': {
    description: 'Runs steps side by side.',
    parameters: { type: 'object', properties: { count: { type: 'integer' } } },
    async run (task, { count = 5 }) {
      const square = async (number) => { await task.heartbeat(); return number * number }
      const squares = await Promise.all([...Array(count).keys()].map((n) => task.branch(`n${n}`).step(square, n)))
      return squares.reduce((sum, each) => sum + each, 0)
    }
  },

  'js-fetch': {
    description: 'Fetches a page; tried again after network errors.',
    parameters: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] },
    async run (task, { url }) {
      const page = await task.step('fetch', { retry: { max_retries: 2, wait_s: 0.1 } }, async () => {
        const answer = await fetch(url, { signal: task.signals })
        if (!answer.ok) throw new TaskError(`${url} says ${answer.status}`, { retryable: answer.status >= 500 })
        return (await answer.text()).slice(0, 1000)
      })
      return page
    }
  },

  'js-words': {
    description: 'Counts the words of a file, and writes a report.',
    async run (task) {
      const text = await task.file('text')
      const count = fs.readFileSync(text.path, 'utf8').split(/\s+/).filter(Boolean).length
      const report = `${text.path}.report`
      fs.writeFileSync(report, `${text.name}: ${count} words\n`)
      await task.saveFile('report.txt', report)
      return count
    }
  }
})
