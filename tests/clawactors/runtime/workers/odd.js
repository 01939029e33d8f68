// Skills that behave as the real world does.
'use strict'

const fs = require('node:fs')
const { serve, TaskError } = require('../../../../examples/workers/node/claw.js')

const leave = (path, text) => fs.appendFileSync(path, `${text}\n`)
const ms = (time) => new Promise((resolve) => setTimeout(resolve, time))

serve({
  steps: {
    async run (task, { trace, count = 5, pause = 50, dies = -1 }) {
      const results = []
      for (let n = 0; n < count; n++) {
        results.push(await task.step('s', async (number) => {
          leave(trace, `s${number}`)
          if (number === dies && task.attempt === 1) process.kill(process.pid, 'SIGKILL')
          await ms(pause)
          return number * 2
        }, n))
      }
      return results
    }
  },
  poison: { async run () { process.kill(process.pid, 'SIGKILL'); await ms(10_000) } },
  cleans: {
    async run (task, { trace }) {
      leave(trace, 'began')
      try {
        await task.signal('never')
      } catch (error) {
        leave(trace, `${error.class} ${task.cancelled}`)
        await task.step('undo', async () => leave(trace, 'undone'))
        throw error
      }
    }
  },
  stubborn: { cancel_grace_s: 0.2, async run (task) { await task.emit('here'); await ms(60_000) } },
  slow: { timeout_s: 0.2, retry: { max_retries: 0 }, async run (task) { await new Promise((resolve, reject) => task.signals.addEventListener('abort', () => reject(task.signals.reason))) } },
  silent: { heartbeat_s: 0.2, retry: { max_retries: 0 }, async run (task) { for (let n = 0; n < 4; n++) { await ms(100); task.heartbeat() } await ms(60_000) } },
  fails: {
    retry: { max_retries: 2, wait_s: 0.01, jitter: 0 },
    async run (task, { how, trace }) {
      leave(trace, how)
      if (how === 'final') throw new TaskError('no such item', { type: 'NoItem', class: 'validation' })
      if (how === 'told') throw new TaskError('not again', { retryable: false })
      if (how === 'network') throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      if (how === 'type') undefinedFunction() // eslint-disable-line no-undef
      if (how === 'text') throw 'just a text' // eslint-disable-line no-throw-literal
      if (how === 'json') return { big: 10n }
      throw new Error('boom')
    }
  },
  'fails-in-step': {
    retry: { max_retries: 0 },
    async run (task, { trace }) {
      const own = Object.assign(new Error('mine'), { extra: 7 })
      try {
        await task.step('bad', { retry: { max_retries: 2, wait_s: 0.01 } }, async () => { leave(trace, 'bad'); throw own })
      } catch (error) {
        return { same: error === own, extra: error.extra }
      }
    }
  },
  calls: {
    secrets: [],
    async run (task, { other }) {
      console.log('printed', { deep: 1 })
      process.stdout.write('written\n')
      fs.writeSync(1, 'native noise')
      require('node:child_process').spawnSync('echo', ['child noise'], { stdio: 'inherit' })
      await task.plan(['one', 'two'])
      await task.answer('where', async (offset) => `at ${offset + 1}`)
      await task.emit({ chunk: 1 })
      const child = await task.run(other, { name: 'child' })
      const id = await task.submit(other, { name: 'second' })
      const both = await task.gather([id, await task.submit(other, {})], { on_failure: 'ignore' })
      let failed
      try { await task.run(other, {}, { max_retries: 0 }) } catch (error) { failed = [error.name, error.class, error.data.status] }
      let timedOut
      try { await task.signal('none', 0.05) } catch (error) { timedOut = error.class }
      let unknown
      try { await task.call('nonsense') } catch (error) { unknown = error.message }
      const patched = await task.patched('a-change')
      await task.sleep(1.1)
      const kept = await task.store('bytes')
      return { child, both: both.map((each) => each instanceof Error ? each.class : each), failed, timedOut, unknown, patched, kept, seen: await task.signal('end') }
    }
  },
  blocks: { async run () { for (const end = Date.now() + 60_000; Date.now() < end;); } },
  echoes: { async run (task, { text }) { process.stderr.write('e'.repeat(200_000) + '\n'); return await task.step('same', (all) => all, text) } },
  chooses: { async run (task, { first }) { return await Promise.race([task.sleep('1h').then(() => 'slept'), ms(first).then(() => 'worked')]) } },
  leaks: { async run (task) { task.sleep('1h'); task.step('late', async () => await ms(60_000)); return 'done' } }
})
